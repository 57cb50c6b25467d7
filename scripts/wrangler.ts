// Wrangler, as the commands use it: found through its package, silent, and asking nothing of any network.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const MANIFEST = createRequire(import.meta.url).resolve("wrangler/package.json");

export const WRANGLER = join(
  dirname(MANIFEST),
  JSON.parse(readFileSync(MANIFEST, "utf8")).bin.wrangler,
);

/** The real binary of the workerd that this wrangler runs, rather than the script that starts it. */
export function workerdBinary(): string {
  return createRequire(MANIFEST)("workerd").default;
}

/** For one run of wrangler, whose private files go to the folder. */
export function wranglerEnvironment(folder: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    // What it leaves there when it is killed goes with the folder.
    TMPDIR: folder,
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_WRITE_LOGS: "false",
    // Otherwise two servers of one name would find each other.
    WRANGLER_REGISTRY_PATH: join(folder, "registry"),
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    X_LOCAL_EXPLORER: "false",
    X_LOCAL_OBSERVABILITY: "false",
  };
}
