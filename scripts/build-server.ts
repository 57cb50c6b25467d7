// `npm run build:server`: a folder that serves Belay with Node alone. It needs
// no package, and nothing in it is written to.

import { chmod, copyFile, cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { build } from "esbuild";
import { PROJECT, run } from "./command.ts";
import { flags } from "./flags.ts";
import { binary, bundle, writePage } from "./workerd.ts";

const FOLDER = join(PROJECT, "dist/server");

/** The commands of the folder. */
const COMMANDS = ["serve", "token", "canary"];
/** What the commands read from the project. */
const READ = ["wrangler.toml", "samples", "LICENSE"];
/** They make a bundle, which the folder has. */
const BUNDLERS = ["./page.ts", "./wrangler.ts"];

await run(async () => {
  flags({}, "Builds a folder that serves Belay with Node alone, dist/server.");
  await rm(FOLDER, { recursive: true, force: true });
  const built = join(FOLDER, "built");
  await mkdir(built, { recursive: true });
  // The bundler leaves files of its own beside the Worker.
  const draft = join(FOLDER, "draft");
  await bundle(draft);
  await copyFile(join(draft, "worker.js"), join(built, "worker.js"));
  await rm(draft, { recursive: true });
  await writePage(join(built, "page.json"));
  await copyFile(await binary(), join(built, "workerd"));
  await chmod(join(built, "workerd"), 0o755);
  // For workerd, where the system has no list: SSL_CERT_FILE.
  await writeFile(join(built, "authorities.pem"), `${rootCertificates.join("\n")}\n`);
  await buildCommands(join(FOLDER, "scripts"));
  for (const path of READ) await cp(join(PROJECT, path), join(FOLDER, path), { recursive: true });
  await writeFile(join(FOLDER, "package.json"), '{ "private": true, "type": "module" }\n');
});

async function buildCommands(outdir: string): Promise<void> {
  await build({
    entryPoints: COMMANDS.map((name) => join(PROJECT, "scripts", `${name}.ts`)),
    outdir,
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node24",
    external: BUNDLERS,
    logLevel: "warning",
  });
  await copyFile(join(PROJECT, "scripts/session-rate.js"), join(outdir, "session-rate.js"));
}
