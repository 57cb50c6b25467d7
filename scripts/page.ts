// The page, from src/web to the folder that is served: what `npm run page` builds, and wrangler by it.

import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { PROJECT } from "./command.ts";

const SOURCE = join(PROJECT, "src/web");
/** As wrangler.toml says under [assets]. */
const FOLDER = join(PROJECT, "dist/page");

/** Each file with its type, by the path under which it is served. */
const FILES = {
  "/": { file: "index.html", type: "text/html; charset=utf-8" },
  "/page.js": { file: "page.js", type: "text/javascript; charset=utf-8" },
  "/page.css": { file: "page.css", type: "text/css; charset=utf-8" },
  "/icon.svg": { file: "icon.svg", type: "image/svg+xml" },
} as const;

/** What browsers are told of every file: nothing but this site's own is loaded, run or asked. */
const HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

export async function buildPage(): Promise<void> {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  await Promise.all([
    build({
      entryPoints: [join(SOURCE, "page.ts"), join(SOURCE, "page.css")],
      outdir: FOLDER,
      bundle: true,
      minify: true,
      format: "esm",
      target: "es2024",
      logLevel: "warning",
    }),
    cp(join(SOURCE, "index.html"), join(FOLDER, "index.html")),
    cp(join(SOURCE, "icon.svg"), join(FOLDER, "icon.svg")),
    writeFile(join(FOLDER, "_headers"), headersFile()),
  ]);
}

/** The same files for plain workerd, which has no static assets: JSON of them all, as src/config.ts has it. */
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

/** As Workers static assets read it. */
function headersFile(): string {
  const lines = Object.entries(HEADERS).map(([name, value]) => `  ${name}: ${value}\n`);
  return `/*\n${lines.join("")}`;
}

if (import.meta.main) await buildPage();
