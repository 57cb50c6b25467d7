// Builds the pages from src/web, and the description of the API from src/openapi, into
// the folder that is served: `npm run build:page`.

import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join, relative } from "node:path";
import { build } from "esbuild";
import { openApi } from "../src/openapi/document.ts";
import { consoleFile } from "../src/web/console/html.ts";
import { pageFiles } from "../src/web/reader/html.ts";
import { PROJECT, run } from "./command.ts";
import { embedFiles } from "./embed.ts";
import { flags } from "./flags.ts";
import { BY_NPM_START } from "./wrangler.ts";

const SOURCE = join(PROJECT, "src/web/reader");
const CONSOLE = join(PROJECT, "src/web/console");
/** As wrangler.toml says under [assets]. */
const FOLDER = join(PROJECT, "dist/page");
/** What others allow for what they made. It is served beside that. */
const LICENCES = {
  "fonts/LICENSE.txt": "@fontsource-variable/source-sans-3/LICENSE",
  "console.LICENSE.txt": "uplot/LICENSE",
};

/** By their paths in the folder. */
type Files = Readonly<Record<string, string | Uint8Array>>;

/** The types of files, by their endings. */
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".woff2": "font/woff2",
};
const BINARY: ReadonlySet<string> = new Set([".woff2"]);

const BY_HAND =
  "This `wrangler dev` serves what wrangler.toml deploys, so it needs an account of Cloudflare. Without one, use npm start.";

/** How what browsers load is bundled. */
export const BUNDLING = {
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2024",
  charset: "utf8",
  logLevel: "warning",
} as const;

/** Every file: browsers load, run and ask only this site. */
const HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
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

const FOR_ANY_PAGE = {
  "cross-origin-resource-policy": "cross-origin",
  "access-control-allow-origin": "*",
};

/** Headers that files have instead, by their paths; `*` is any text. */
const OTHER_HEADERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // Pages of other sites load the element and its texts.
  "/embed*.js": FOR_ANY_PAGE,
  "/words-*.js": FOR_ANY_PAGE,
  // Their names change with what is in them.
  "/fonts/*.woff2": { "cache-control": "public, max-age=31536000, immutable" },
};

/**
 * Builds the page into its folder. Replaces only files that differ, by a rename:
 * another server may be serving them.
 */
export async function buildPage(): Promise<void> {
  const files: Files = { ...(await builtFiles()), _headers: headersFile() };
  for (const [file, content] of Object.entries(files)) {
    const path = join(FOLDER, file);
    const old = await readFile(path).catch(() => undefined);
    if (old?.equals(Buffer.from(content))) continue;
    await mkdir(dirname(path), { recursive: true });
    const draft = `${FOLDER}.${process.pid}.${file.replaceAll("/", ".")}`;
    await writeFile(draft, content);
    await rename(draft, path);
  }
  const outdated = (await filesInFolder()).filter((file) => files[file] === undefined);
  await Promise.all(outdated.map((file) => rm(join(FOLDER, file), { force: true })));
}

/** The built page as JSON, for plain workerd, which has no static assets. */
export async function pageAsJson(): Promise<string> {
  const files = (await filesInFolder()).filter((file) => file !== "_headers");
  const entries = files.map(async (file) => {
    const path = `/${file}`;
    const content = await readFile(join(FOLDER, file));
    const headers = {
      ...HEADERS,
      "content-type": TYPES[extname(file)],
      "cache-control": "public, max-age=0, must-revalidate",
      ...otherHeaders(path),
    };
    return BINARY.has(extname(file))
      ? [path, { headers, base64: content.toString("base64") }]
      : [path, { headers, text: content.toString() }];
  });
  return JSON.stringify(Object.fromEntries(await Promise.all(entries)));
}

function otherHeaders(path: string): Readonly<Record<string, string>> {
  const rules = Object.entries(OTHER_HEADERS).filter(([pattern]) => {
    const [start = "", end] = pattern.split("*");
    return end === undefined ? path === start : path.startsWith(start) && path.endsWith(end);
  });
  return Object.assign({}, ...rules.map(([, headers]) => headers));
}

async function filesInFolder(): Promise<string[]> {
  const entries = await readdir(FOLDER, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(FOLDER, join(entry.parentPath, entry.name)));
}

async function builtFiles(): Promise<Files> {
  const { outputFiles } = await build({
    ...BUNDLING,
    entryPoints: [
      { in: join(SOURCE, "main.ts"), out: "page" },
      { in: join(SOURCE, "page.css"), out: "page" },
      { in: join(CONSOLE, "main.ts"), out: "console" },
      { in: join(CONSOLE, "console.css"), out: "console" },
    ],
    outdir: FOLDER,
    write: false,
    loader: { ".woff2": "file" },
    assetNames: "fonts/[name]-[hash]",
  });
  const built: Files = Object.fromEntries(
    outputFiles.map(({ path, contents }) => [relative(FOLDER, path), contents]),
  );
  return {
    ...built,
    ...pages(Object.keys(built)),
    ...(await embedFiles()),
    "icon.svg": await readFile(join(SOURCE, "icon.svg"), "utf8"),
    ...(await licences()),
    "openapi.json": JSON.stringify(openApi()),
  };
}

async function licences(): Promise<Files> {
  const { resolve } = createRequire(import.meta.url);
  const read = async ([file, path]: [string, string]) =>
    [file, await readFile(resolve(path), "utf8")] as const;
  return Object.fromEntries(await Promise.all(Object.entries(LICENCES).map(read)));
}

/** The pages. Each loads the letters of every language early. */
function pages(built: readonly string[]): Files {
  const letters = built.find((file) => /-latin-wght-normal-\w+\.woff2$/.test(file));
  if (letters === undefined) throw new Error("The styles of the page load no typeface.");
  const early = `<link rel="preload" href="/${letters}" as="font" type="font/woff2" crossorigin>`;
  const all = { ...pageFiles(), "console.html": consoleFile() };
  const files = Object.entries(all).map(([name, html]) => [
    name,
    html.replace('<link rel="stylesheet"', `${early}\n    $&`),
  ]);
  return Object.fromEntries(files);
}

/** As Workers static assets read it. `!` takes away what an earlier rule set. */
function headersFile(): string {
  const lines = (headers: Readonly<Record<string, string>>) =>
    Object.entries(headers).map(([name, value]) => `  ${name}: ${value}\n`);
  const others = Object.entries(OTHER_HEADERS).map(([path, headers]) => {
    const instead = Object.keys(headers).filter((name) => name in HEADERS);
    return [`${path}\n`, ...instead.map((name) => `  ! ${name}\n`), ...lines(headers)].join("");
  });
  return [`/*\n`, ...lines(HEADERS), ...others].join("");
}

if (import.meta.main) {
  await run(async () => {
    flags({}, "Builds the page and the description of the API into dist/page.");
    // wrangler sets it for the command under [build].
    if (process.env.WRANGLER_COMMAND === "dev" && !process.env[BY_NPM_START]) {
      console.error(BY_HAND);
    }
    await buildPage();
  });
}
