// `npm run build:client`: the client for others, one file and its types.

import { execFile } from "node:child_process";
import { mkdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { Failure, PROJECT, run } from "./command.ts";
import { flags } from "./flags.ts";

/** Of the compressed file: all that a page loads. */
export const CLIENT_BYTES_MAX = 5_000; /* 5 KB */

const SOURCE = join(PROJECT, "src/client");

/**
 * Builds the client into an emptied folder. Resolves with its compressed size. The
 * bundle includes the event-stream parser, so that it has no dependency.
 */
export async function buildClient(folder: string): Promise<number> {
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
  await declareTypes(join(folder, "types"));
  return gzipSync(await readFile(outfile), { level: 9 }).length;
}

async function declareTypes(folder: string): Promise<void> {
  const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
  const tsc = join(dirname(manifest), JSON.parse(await readFile(manifest, "utf8")).bin.tsc);
  const options = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly"];
  try {
    await promisify(execFile)(process.execPath, [
      tsc,
      "-p",
      SOURCE,
      ...options,
      "--outDir",
      folder,
    ]);
  } catch (error) {
    throw new Failure(`The client's types are wrong.\n${(error as { stdout: string }).stdout}`);
  }
}

if (import.meta.main) {
  await run(async () => {
    flags({}, "Builds the client, belay/client, into dist/client.");
    const bytes = await buildClient(join(PROJECT, "dist/client"));
    if (bytes >= CLIENT_BYTES_MAX) {
      throw new Failure(`The client has grown to ${bytes} bytes, of at most ${CLIENT_BYTES_MAX}.`);
    }
    console.log(`The client is in dist/client: ${bytes} bytes, compressed.`);
  });
}
