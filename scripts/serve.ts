// `npm run serve`: the deployed bundle, under plain workerd.

import { DATA_FOLDERS } from "./data-folder.ts";
import { runServer } from "./server.ts";
import { variables } from "./variables.ts";
import { bundle, workerd } from "./workerd.ts";

await runServer({
  script: "serve",
  about: "Serves Belay on this machine, as the bundle of a deployment.",
  persistTo: DATA_FOLDERS.serve,
  isChatter: () => false,
  program: async (flags, folder, stopped) => {
    const [all] = await Promise.all([variables(flags.variables), bundle(folder, stopped)]);
    return workerd(folder, { ...flags, variables: all });
  },
});
