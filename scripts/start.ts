// `npm start`: the Worker under `wrangler dev`, which rebuilds it on changes.

import { PROJECT } from "./command.ts";
import { DATA_FOLDERS } from "./data-folder.ts";
import { runServer } from "./server.ts";
import { WRANGLER, wranglerEnvironment } from "./wrangler.ts";

// Lines of wrangler itself: bindings, requests, reloads.
const CHATTER =
  /^$|^\[wrangler:|^\[custom build\]|^⎔ |^Using secrets|^Your Worker has access|^Binding {2}|^env\.\w+ +(\(|\w+ +local)/;

await runServer({
  about: "Serves Belay on this machine, and rebuilds it when its source changes.",
  persistTo: DATA_FOLDERS.start,
  isChatter: (line) => CHATTER.test(line),
  program: async ({ port, persistTo, variables }, folder) => ({
    file: process.execPath,
    args: [
      WRANGLER,
      "dev",
      `--cwd=${PROJECT}`,
      "--env=",
      "--ip=127.0.0.1",
      `--port=${port}`,
      "--inspector-port=0",
      `--persist-to=${persistTo}`,
      "--show-interactive-dev-session=false",
      ...Object.entries(variables).map(([name, value]) => `--var=${name}:${value}`),
    ],
    env: wranglerEnvironment(folder),
    channel: "ipc",
  }),
});
