// `npm run serve` with the bundle of this run instead of a new one.
// test/servers/commands.test.ts runs the command itself.

import { runServer } from "../../scripts/server.ts";
import { variables } from "../../scripts/variables.ts";
import { workerd } from "../../scripts/workerd.ts";
import { copyBundle } from "./bundle.ts";

await runServer({
  script: "serve",
  about: "Serves Belay for a test.",
  persistTo: ".belay/serve",
  isChatter: () => false,
  program: async (flags, folder) => {
    await copyBundle(folder);
    return workerd(folder, { ...flags, variables: await variables(flags.variables) });
  },
});
