// The examples of <belay-ask>: a static page, a site that VitePress builds, and the
// component for Docusaurus with React itself, each on another origin than Belay.

/// <reference path="../../examples/docusaurus/src/belay-ask.d.ts" />

import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROJECT } from "../support/command.ts";
import { ANSWER } from "../support/directive.ts";
import { listen } from "../support/listen.ts";
import { type ScriptedServer, startScriptedServer } from "../support/server.ts";

const EXAMPLES = join(PROJECT, "examples");
/** Belay's address in the examples. */
const WRITTEN = "http://127.0.0.1:8787";
const WHOLE = ANSWER.join("").replace("[1]", "1");
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
};

let folder: string;
let server: ScriptedServer;
let browser: Browser;
let pages: Server;
let origin: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belay-embed-"));
  pages = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    const file = await readFile(join(folder, path)).catch(() => undefined);
    // A browser also asks for an icon.
    const missing = path === "/favicon.ico" ? 204 : 404;
    response.writeHead(file ? 200 : missing, {
      "content-type": TYPES[extname(path)] ?? "text/plain",
    });
    response.end(file);
  });
  origin = (await listen(pages)).replace("127.0.0.1", "localhost");
  [server, browser] = await Promise.all([
    startScriptedServer({ vars: { ANONYMOUS_LIMIT: "20", EMBED_ORIGINS: origin } }),
    chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu"],
    }),
  ]);
});
afterAll(async () => {
  await browser?.close();
  pages?.close();
  pages?.closeAllConnections();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Visit {
  readonly page: Page;
  /** Errors and warnings of the console, and policy violations. */
  readonly problems: string[];
}

async function open(path: string): Promise<Visit> {
  const page = await (await browser.newContext()).newPage();
  const problems: string[] = [];
  page.on("pageerror", ({ message }) => problems.push(message));
  page.on("console", (message) => {
    if (!/error|warning/.test(message.type())) return;
    problems.push(`${message.text()} ${message.location().url}`);
  });
  await page.goto(`${origin}${path}`);
  return { page, problems };
}

async function ask(page: Page): Promise<void> {
  await page.locator("belay-ask textarea").fill("What is the quota?");
  await page.locator("belay-ask textarea").press("Enter");
  await expect.poll(() => page.locator("belay-ask .answer").textContent()).toBe(WHOLE);
}

describe("static-page", () => {
  test("asks under its strict policy", async () => {
    const text = await readFile(join(EXAMPLES, "static-page/index.html"), "utf8");
    await writeFile(join(folder, "static.html"), text.replaceAll(WRITTEN, server.url));
    const { page, problems } = await open("/static.html");
    expect(await page.locator("belay-ask .examples li").count()).toBe(2);
    await ask(page);
    expect(problems).toEqual([]);
  });
});

describe("vitepress", () => {
  beforeAll(async () => {
    const site = join(folder, "vitepress");
    await cp(join(EXAMPLES, "vitepress"), site, { recursive: true });
    await symlink(join(import.meta.dirname, "node_modules"), join(site, "node_modules"));
    const command = join(import.meta.dirname, "node_modules/vitepress/bin/vitepress.js");
    const args = [command, "build", site, "--base", "/built/", "--outDir", join(folder, "built")];
    const env = { ...process.env, BELAY_URL: server.url };
    await promisify(execFile)(process.execPath, args, { cwd: site, env });
  }, 120_000);

  test("has a bubble on every page, and the conversation goes along", async () => {
    const { page, problems } = await open("/built/");
    await page.locator("belay-ask .launcher").click();
    await ask(page);
    await page.getByRole("link", { name: "How to wash it" }).click();
    await page.getByRole("heading", { name: "Washing a rope" }).waitFor();
    expect(await page.locator("belay-ask .answer").textContent()).toBe(WHOLE);
    await page.reload();
    await expect.poll(() => page.locator("belay-ask .answer").textContent()).toBe(WHOLE);
    expect(await page.locator("belay-ask").count()).toBe(1);
    expect(problems).toEqual([]);
  });
});

describe("docusaurus", () => {
  /** Bundles a module that imports the component as `Root`. */
  async function bundled(text: string, platform: "node" | "browser"): Promise<string> {
    const { outputFiles } = await build({
      stdin: { contents: text, resolveDir: import.meta.dirname, loader: "jsx" },
      alias: { Root: join(EXAMPLES, "docusaurus/src/theme/Root.jsx") },
      nodePaths: [join(import.meta.dirname, "node_modules")],
      bundle: true,
      format: platform === "node" ? "cjs" : "esm",
      platform,
      jsx: "automatic",
      define: { "process.env.NODE_ENV": '"development"' },
      write: false,
    });
    return outputFiles[0]?.text.replaceAll(WRITTEN, server.url) ?? "";
  }

  const COMPONENTS = `import Root from "Root";
    const page = <Root><p>A page</p></Root>;`;

  test("is rendered on a server, and asks in the browser", async () => {
    const program = await bundled(
      `${COMPONENTS} import { renderToString } from "react-dom/server";
       console.log(renderToString(page));`,
      "node",
    );
    await writeFile(join(folder, "render.cjs"), program);
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, "render.cjs")]);
    const html = stdout.trim();
    expect(html).toBe(
      `<p>A page</p><belay-ask url="${server.url}" mode="bubble" label="Ask the docs"></belay-ask>`,
    );
    const hydrate = `${COMPONENTS} import { hydrateRoot } from "react-dom/client";
      hydrateRoot(document.querySelector("#root"), page);`;
    await writeFile(join(folder, "page.js"), await bundled(hydrate, "browser"));
    await writeFile(
      join(folder, "docusaurus.html"),
      `<!doctype html><html lang="en"><title>Docs</title><link rel="icon" href="data:,">
       <div id="root">${html}</div><script type="module" src="page.js"></script>`,
    );
    const { page, problems } = await open("/docusaurus.html");
    await page.locator("belay-ask .launcher").click();
    await ask(page);
    await page.evaluate(() => document.querySelector("belay-ask")?.clear());
    expect(await page.locator("belay-ask .exchange").count()).toBe(0);
    expect(problems).toEqual([]);
  });
});
