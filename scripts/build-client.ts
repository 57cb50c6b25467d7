// `npm run build:client`: the package of the client, ready to publish.

import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { Failure, PROJECT, run, UsageError } from "./command.ts";
import { flags } from "./flags.ts";

/** Of the compressed file: all that a page loads. */
export const CLIENT_BYTES_MAX = 4_000; /* 4 KB */

const HELP = `Builds the client as a package, belay/client, into dist/client.

  --name NAME    the package's name, such as @you/belay: import NAME/client then

Publish it with \`npm publish ./dist/client\`, under a name that is yours.`;

const SOURCE = join(PROJECT, "src/client");
/** Its name in the source. On npm that name belongs to others. */
const NAME = "belay";
/** npm's rule for new names. */
const NAMES = /^(?=.{1,214}$)(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

/**
 * Builds the package into an emptied folder. Resolves with the compressed size
 * of its code, which has no dependency.
 */
export async function buildClient(folder: string, name = NAME): Promise<number> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const outfile = join(folder, "client.js");
  await build({
    entryPoints: [join(SOURCE, "client.ts")],
    outfile,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2024",
  });
  await declareTypes(folder);
  await describePackage(folder, name);
  return gzipSync(await readFile(outfile), { level: 9 }).length;
}

async function declareTypes(folder: string): Promise<void> {
  const types = join(folder, "types");
  const { path, manifest } = await packageOf("typescript");
  const tsc = join(path, manifest.bin.tsc);
  const options = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly"];
  try {
    await promisify(execFile)(process.execPath, [tsc, "-p", SOURCE, ...options, "--outDir", types]);
  } catch (error) {
    throw new Failure(`The client's types are wrong.\n${(error as { stdout: string }).stdout}`);
  }
  // No public type needs it.
  await rm(join(types, "client/events.d.ts"));
  for (const file of await readdir(types, { recursive: true })) {
    if (!file.endsWith(".d.ts")) continue;
    const text = await readFile(join(types, file), "utf8");
    // Readers of the package have no .ts files.
    await writeFile(join(types, file), text.replace(/(from "\..*)\.ts";$/gm, '$1.js";'));
  }
  // Beside the code, for tools that do not read `exports`.
  await writeFile(join(folder, "client.d.ts"), 'export * from "./types/client/client.js";\n');
}

/** Writes package.json, README.md and LICENSE. */
async function describePackage(folder: string, name: string): Promise<void> {
  const [{ version }, manifest, readme, licence] = await Promise.all([
    readJson(join(PROJECT, "package.json")),
    readJson(join(SOURCE, "package.json")),
    readFile(join(SOURCE, "README.md"), "utf8"),
    readFile(join(PROJECT, "LICENSE"), "utf8"),
  ]);
  const whole = { ...manifest, name, version };
  // Only the source may not be published.
  delete whole.private;
  await Promise.all([
    writeFile(join(folder, "package.json"), `${JSON.stringify(whole, undefined, 2)}\n`),
    writeFile(join(folder, "README.md"), readme.replaceAll(`${NAME}/client`, `${name}/client`)),
    writeFile(join(folder, "LICENSE"), licence),
  ]);
}

async function packageOf(name: string) {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return { path: dirname(path), manifest: await readJson(path) };
}

async function readJson(path: string) {
  return JSON.parse(await readFile(path, "utf8"));
}

if (import.meta.main) {
  await run(async () => {
    const { name } = flags({ name: { type: "string", default: NAME } }, HELP);
    if (!NAMES.test(name)) throw new UsageError(`--name: npm takes no such name: ${name}.`);
    const bytes = await buildClient(join(PROJECT, "dist/client"), name);
    if (bytes >= CLIENT_BYTES_MAX) {
      throw new Failure(`The client has grown to ${bytes} bytes, of at most ${CLIENT_BYTES_MAX}.`);
    }
    console.log(`The client is in dist/client: ${bytes} bytes, compressed.`);
  });
}
