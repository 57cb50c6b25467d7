// Builds the element <belay-ask>: one module with its styles, and a file for each
// language other than English.

import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { build, type Plugin } from "esbuild";
import { PROJECT } from "./command.ts";

/** Compressed: what a page loads, and what an element that is seen loads too. */
export const EMBED_BYTES_MAX = 20_000;
export const ANSWER_BYTES_MAX = 13_000;

const SOURCE = join(PROJECT, "src/web/embed");
/** Chromium 125, Safari 18 and Firefox 129 are the first that have all of it. */
const TARGET = "es2024";
/** In px. An element in a page is a little smaller than a page of its own. */
const REM = 15;

/** Texts by the name of the file: embed.js, words-de.js and so on. */
export async function embedFiles(): Promise<Record<string, string>> {
  const { outputFiles } = await built();
  return Object.fromEntries(outputFiles.map(({ path, text }) => [basename(path), text]));
}

/** What the source in each folder takes up in embed.js, in bytes before compression. */
export async function embedParts(): Promise<Readonly<Record<string, number>>> {
  const { metafile } = await built();
  const parts: Record<string, number> = {};
  for (const [path, { bytesInOutput }] of Object.entries(
    metafile.outputs["embed.js"]?.inputs ?? {},
  )) {
    const part = path.endsWith(".css") ? "styles" : dirname(path).replace(/^.*node_modules\//, "");
    parts[part] = (parts[part] ?? 0) + bytesInOutput;
  }
  return parts;
}

async function built() {
  const languages = (await readdir(join(SOURCE, "words"))).filter((file) => file !== "en.ts");
  return build({
    entryPoints: [
      { in: join(SOURCE, "main.ts"), out: "embed" },
      { in: join(SOURCE, "renderer.ts"), out: "embed-answer" },
      ...languages.map((file) => ({
        in: join(SOURCE, "words", file),
        out: `words-${basename(file, ".ts")}`,
      })),
    ],
    absWorkingDir: PROJECT,
    outdir: ".",
    write: false,
    metafile: true,
    bundle: true,
    minify: true,
    format: "esm",
    target: TARGET,
    charset: "utf8",
    logLevel: "warning",
    plugins: [styleText],
  });
}

/** A style sheet that a module imports is bundled, and becomes a text. */
const styleText: Plugin = {
  name: "style text",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { outputFiles } = await build({
        entryPoints: [path],
        write: false,
        bundle: true,
        minify: true,
        logLevel: "warning",
      });
      return { loader: "text", contents: withoutRem(outputFiles[0]?.text ?? "").trim() };
    });
  },
};

/** In a page whose rem is 8 px the element would be half as large. */
function withoutRem(css: string): string {
  return css.replace(/(\d*\.?\d+)rem\b/g, (_, n: string) => `${Number(n) * REM}px`);
}
