// A page on this origin asks with the lines of docs/protocol.md, word for word: no
// session before the ask, no Content-Type, no client.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { StreamEvent } from "../../src/protocol.ts";
import { type Directive, scripted } from "../support/directive.ts";
import { type Line, startLine } from "../support/line.ts";
import { LIMIT, Site } from "./site.ts";

let site: Site;
let documented: string;
const opened: { readonly context: BrowserContext; readonly line: Line }[] = [];

beforeAll(async () => {
  const protocol = await readFile(join(import.meta.dirname, "../../docs/protocol.md"), "utf8");
  const [, block] = /```js\n(const response = await fetch\("\/api.*?)```/s.exec(protocol) ?? [];
  documented = block ?? "";
  site = await Site.open();
});
afterAll(() => site?.close());
afterEach(async () => {
  for (const { context, line } of opened.splice(0)) {
    await context.close();
    await line.close();
  }
});

/** A page with the documented lines, in a new browser context. */
async function visit(path = "/of-the-operator.html"): Promise<Page> {
  const line = await startLine(site.server.url);
  const context = await site.browser.newContext();
  opened.push({ context, line });
  const page = await context.newPage();
  await page.route(`**${path}`, (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<!doctype html><title>Ask</title><script type="module">
        globalThis.ask = async (query) => {
          const events = [];
          const onEvent = (event) => events.push(event);
          ${documented}
          return { status: response.status, events };
        };
      </script>`,
    }),
  );
  await page.goto(line.url + path);
  return page;
}

function ask(page: Page, directive: Directive) {
  return page.evaluate(
    (query) =>
      (
        globalThis as unknown as {
          ask(query: string): Promise<{ status: number; events: StreamEvent[] }>;
        }
      ).ask(query),
    scripted(directive, "What is the quota?"),
  );
}

it("asks without a session, and keeps the one that this starts", async () => {
  expect(documented).toContain('method: "POST"');
  expect(documented).not.toMatch(/content-type|session/i);
  const page = await visit();
  expect(await page.context().cookies()).toEqual([]);

  const { status, events } = await ask(page, { tokens: ["Belay ", "holds."] });
  expect(status).toBe(200);
  const types = events.map(({ type }) => type).filter((type) => type !== "ping");
  expect(types).toEqual(["start", "sources", "token", "token", "done"]);
  expect(events.at(-1)).toMatchObject({ quotaRemaining: LIMIT - 1 });

  const cookies = await page.context().cookies();
  expect(cookies).toMatchObject([{ name: "belay", httpOnly: true, sameSite: "Strict" }]);
  expect((await ask(page, { tokens: ["Again."] })).events.at(-1)).toMatchObject({
    quotaRemaining: LIMIT - 2,
  });
  // The same reader: sees the question of before the cookie.
  expect(await page.context().cookies()).toEqual(cookies);
  const queries = await page.evaluate(async () => {
    const response = await fetch("/api/v1/ai/queries");
    return ((await response.json()) as { queries: { answer: string }[] }).queries;
  });
  expect(queries.map(({ answer }) => answer)).toEqual(["Again.", "Belay holds."]);
});

it("a page of another site is refused, also with the cookie", async () => {
  const page = await visit();
  await ask(page, { tokens: ["Mine."] });
  // The same machine under another name is another site.
  const elsewhere = await page.context().newPage();
  const target = `${new URL(page.url()).origin}/api/v1/ai/ask?stream=true`;
  // text/plain needs no preflight, and the body is still JSON.
  await elsewhere.route("**/evil.html", (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<!doctype html><title>Evil</title>
        <form method="post" enctype="text/plain" action="${target}">
          <input name='{"query":"Whose quota is it?' value='"}'>
        </form>`,
    }),
  );
  await elsewhere.goto(
    `${page
      .url()
      .replace("127.0.0.1", "localhost")
      .replace(/[^/]+$/, "evil.html")}`,
  );
  const sent = elsewhere.waitForResponse(target);
  await elsewhere.evaluate(() => document.forms[0]?.submit());
  const response = await sent;
  expect(response.request().headers()["content-type"]).toBe("text/plain");
  expect(response.status()).toBe(401);
  expect(response.headers()["set-cookie"]).toBeUndefined();
  const quota = await page.evaluate(async () => (await fetch("/api/v1/ai/quota")).json());
  expect(quota).toMatchObject({ charged: 1, reserved: 0 });
});
