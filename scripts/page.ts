// Builds the page from src/web, and the description of the API from src/openapi, into
// the folder that is served: `npm run build:page`.

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { openApi } from "../src/openapi/document.ts";
import { PROJECT, run } from "./command.ts";
import { flags } from "./flags.ts";

const SOURCE = join(PROJECT, "src/web/reader");
/** As wrangler.toml says under [assets]. */
const FOLDER = join(PROJECT, "dist/page");

/** File and type, by the path that it is served under. */
const FILES = {
  "/": { file: "index.html", type: "text/html; charset=utf-8" },
  "/page.js": { file: "page.js", type: "text/javascript; charset=utf-8" },
  "/page.css": { file: "page.css", type: "text/css; charset=utf-8" },
  "/icon.svg": { file: "icon.svg", type: "image/svg+xml" },
  "/openapi.json": { file: "openapi.json", type: "application/json" },
} as const;

type FileName = (typeof FILES)[keyof typeof FILES]["file"];

/** Every file: browsers load, run and ask only this site. */
const HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/**
 * Builds the page into its folder. Replaces only files that differ, by a rename:
 * another server may be serving them.
 */
export async function buildPage(): Promise<void> {
  const files = { ...(await builtFiles()), _headers: headersFile() };
  await mkdir(FOLDER, { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    const path = join(FOLDER, file);
    if ((await readFile(path, "utf8").catch(() => undefined)) === text) continue;
    const draft = `${FOLDER}.${process.pid}.${file}`;
    await writeFile(draft, text);
    await rename(draft, path);
  }
}

/** The built page as JSON, for plain workerd, which has no static assets. */
export async function pageAsJson(): Promise<string> {
  const entries = Object.entries(FILES).map(async ([path, { file, type }]) => {
    const headers = {
      ...HEADERS,
      "content-type": type,
      "cache-control": "public, max-age=0, must-revalidate",
    };
    return [path, { headers, text: await readFile(join(FOLDER, file), "utf8") }];
  });
  return JSON.stringify(Object.fromEntries(await Promise.all(entries)));
}

async function builtFiles(): Promise<Record<FileName, string>> {
  const { outputFiles } = await build({
    entryPoints: [
      { in: join(SOURCE, "main.ts"), out: "page" },
      { in: join(SOURCE, "page.css"), out: "page" },
    ],
    outdir: FOLDER,
    write: false,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2024",
    logLevel: "warning",
  });
  const built = (file: FileName) => {
    const found = outputFiles.find(({ path }) => path === join(FOLDER, file));
    if (found === undefined) throw new Error(`esbuild has made no ${file} of ${SOURCE}.`);
    return found.text;
  };
  return {
    "index.html": await readFile(join(SOURCE, "index.html"), "utf8"),
    "icon.svg": await readFile(join(SOURCE, "icon.svg"), "utf8"),
    "page.js": built("page.js"),
    "page.css": built("page.css"),
    "openapi.json": JSON.stringify(openApi()),
  };
}

/** As Workers static assets read it. */
function headersFile(): string {
  const lines = Object.entries(HEADERS).map(([name, value]) => `  ${name}: ${value}\n`);
  return `/*\n${lines.join("")}`;
}

if (import.meta.main) {
  await run(async () => {
    flags({}, "Builds the page and the description of the API into dist/page.");
    await buildPage();
  });
}
