// `npm start`: the Worker under `wrangler dev`, which rebuilds it on changes.

import { PROJECT } from "./command.ts";
import { writeLocalConfiguration } from "./configuration.ts";
import { DATA_FOLDERS } from "./data-folder.ts";
import { runServer } from "./server.ts";
import { variables } from "./variables.ts";
import { BY_NPM_START, WRANGLER, wranglerEnvironment } from "./wrangler.ts";

// Lines of wrangler itself: bindings, requests, reloads.
const CHATTER =
  /^$|^\[wrangler:|^\[custom build\]|^⎔ |^Using secrets|^Your Worker has access|^Binding {2}|^env\.\w+ +(\(|\w+ +local)/;

await runServer({
  script: "start",
  about: "Serves Belay on this machine, and rebuilds it when its source changes.",
  persistTo: DATA_FOLDERS.start,
  isChatter: (line) => CHATTER.test(line),
  program: async ({ port, persistTo, variables: overrides }, folder) => ({
    file: process.execPath,
    args: [
      WRANGLER,
      "dev",
      `--cwd=${PROJECT}`,
      `--config=${await writeLocalConfiguration(folder, await variables(overrides))}`,
      "--env=",
      "--ip=127.0.0.1",
      `--port=${port}`,
      "--inspector-port=0",
      `--persist-to=${persistTo}`,
      "--show-interactive-dev-session=false",
    ],
    env: { ...wranglerEnvironment(folder), [BY_NPM_START]: "true" },
    channel: "ipc",
  }),
});
