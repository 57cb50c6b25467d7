// Wrangler as the commands run it: silent and offline.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const MANIFEST = createRequire(import.meta.url).resolve("wrangler/package.json");

export const WRANGLER = join(
  dirname(MANIFEST),
  JSON.parse(readFileSync(MANIFEST, "utf8")).bin.wrangler,
);

/** In the environment of a wrangler that `npm start` runs. */
export const BY_NPM_START = "BELAY_NPM_START";

/** The workerd of this wrangler, without the script around it. */
export function workerdBinary(): string {
  return createRequire(MANIFEST)("workerd").default;
}

/** The environment of a run with private files in the folder. */
export function wranglerEnvironment(folder: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    // Files of a killed run are deleted with the folder.
    TMPDIR: folder,
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_WRITE_LOGS: "false",
    // Otherwise servers of the same name connect.
    WRANGLER_REGISTRY_PATH: join(folder, "registry"),
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    X_LOCAL_EXPLORER: "false",
    X_LOCAL_OBSERVABILITY: "false",
  };
}
