// The client's package in a real browser, which loads the installed files by an
// import map, on a page of another origin. test/packages/runtimes.test.ts does
// the same in other runtimes.

import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, test } from "vitest";
import { type InstalledClient, installClient } from "../support/installed-client.ts";
import { listen } from "../support/listen.ts";
import { PROOF, prove } from "../support/proof.ts";
import { SECRET } from "../support/server.ts";
import { Site } from "./site.ts";

const PAGE = `<!doctype html><html lang="en"><title>The package</title>
<script type="importmap">{ "imports": { "belay/client": "/belay/client.js" } }</script>
<script type="module">import { prove } from "/proof.mjs"; globalThis.prove = prove;</script>`;

let client: InstalledClient;
let site: Site;
let pages: Server;
let origin: string;

beforeAll(async () => {
  client = await installClient();
  pages = createServer(async (request, response) => {
    const { url = "" } = request;
    const inPackage = url.startsWith("/belay/");
    const file = inPackage ? join(client.folder, "node_modules", url) : join(PROOF, url);
    const isPage = url === "/";
    response.setHeader("content-type", isPage ? "text/html" : "text/javascript");
    const body = isPage ? PAGE : await readFile(file).catch(() => undefined);
    if (body === undefined) response.statusCode = 404;
    response.end(body);
  });
  origin = await listen(pages);
  site = await Site.open({ AUTH_SECRET: SECRET, CORS_ORIGINS: origin });
});
afterAll(async () => {
  await site?.close();
  pages?.close();
  await client?.remove();
});

test("the installed client asks, stops with a refund and resumes after cuts", async () => {
  const page = await site.browser.newPage();
  await page.goto(origin);
  await prove(site.server, /Chrome\//, (input) =>
    page.evaluate((input) => {
      const { prove } = globalThis as unknown as { prove(input: object): Promise<object> };
      return prove(input);
    }, input),
  );
});
