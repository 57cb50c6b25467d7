// The page on both servers: the same files and the same headers.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, startServer } from "../support/server.ts";

const COMMANDS = ["start", "serve"] as const;
const PATHS = [
  ...["/", "/page.js", "/page.css", "/icon.svg", "/fonts/LICENSE.txt", "/embed.js"],
  ...["/console", "/console.js", "/console.css", "/console.LICENSE.txt"],
];
const TOLD = [
  "content-type",
  "content-security-policy",
  "cross-origin-opener-policy",
  "cross-origin-resource-policy",
  "referrer-policy",
  "x-content-type-options",
  "cache-control",
];

const servers = new Map<string, RunningServer>();

beforeAll(async () => {
  await Promise.all(
    COMMANDS.map(async (command) => servers.set(command, await startServer({ command }))),
  );
});
afterAll(() => Promise.all([...servers.values()].map((server) => server.stop())));

const get = (command: string, path: string, init?: RequestInit) =>
  fetch(`${servers.get(command)?.url}${path}`, init);

test.each(PATHS)("npm start and npm run serve send the same %s", async (path) => {
  const [one, other] = await Promise.all(
    COMMANDS.map(async (command) => {
      const response = await get(command, path);
      const told = TOLD.map((name) => response.headers.get(name));
      return { status: response.status, told, text: await response.text() };
    }),
  );
  expect(one?.status).toBe(200);
  expect(one?.told).not.toContain(null);
  expect(other).toEqual(one);
});

test("npm start and npm run serve send the same typeface, whole and for ever", async () => {
  const css = await (await get("serve", "/page.css")).text();
  const paths = [...css.matchAll(/url\("?\.?(\/fonts\/[^")]+)"?\)/g)].map(([, path]) => path ?? "");
  const latin = paths.filter((path) => /-latin-wght-normal-\w+\.woff2$/.test(path));
  expect(latin).toHaveLength(1);
  const sent = COMMANDS.map(async (command) => {
    const responses = await Promise.all(paths.map((path) => get(command, path)));
    for (const { status, headers } of responses) {
      expect(status).toBe(200);
      expect(headers.get("content-type")).toBe("font/woff2");
      expect(headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    }
    return Promise.all(
      responses.map(async (response) => Buffer.from(await response.arrayBuffer())),
    );
  });
  const html = await (await get("serve", "/")).text();
  expect(html).toContain(`<link rel="preload" href="${latin[0]}" as="font" `);
  const [one = [], other = []] = await Promise.all(sent);
  expect(one.map((font) => font.toString("latin1", 0, 4))).toEqual(paths.map(() => "wOF2"));
  expect(one.every((font, index) => font.equals(other[index] ?? Buffer.of()))).toBe(true);
});

test("npm start and npm run serve send the same description of their API", async () => {
  const [one, other] = await Promise.all(
    COMMANDS.map(async (command) => {
      const response = await get(command, "/api/v1/openapi.json");
      const { status, headers } = response;
      return { status, cache: headers.get("cache-control"), text: await response.text() };
    }),
  );
  expect(one).toMatchObject({ status: 200, cache: "public, max-age=300" });
  expect(JSON.parse(one?.text ?? "").paths).toHaveProperty("/api/v1/ai/ask");
  expect(other).toEqual(one);
});

describe.each(COMMANDS)("npm run %s", (command) => {
  test("answers HEAD with the page's headers", async () => {
    const response = await get(command, "/", { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await response.text()).toBe("");
  });

  test("sends the page with the operator's identity, and 304 to a browser that has it", async () => {
    const response = await get(command, "/");
    expect(await response.text()).toMatch(
      /<meta name="belay" content="[^"]*&quot;title&quot;:null,.*&quot;anonymous&quot;:true/,
    );
    const etag = response.headers.get("etag") ?? "";
    const headers = { "if-none-match": etag };
    const again = await get(command, "/", { headers });
    expect([etag === "", again.status, await again.text()]).toEqual([false, 304, ""]);
    const headed = await get(command, "/", { method: "HEAD" });
    expect(headed.headers.get("etag")).toBe(etag);
  });

  test("lets the page load, run and call only what this site serves", async () => {
    const policy = (await get(command, "/")).headers.get("content-security-policy");
    expect(policy).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    );
    const html = await (await get(command, "/")).text();
    expect(html).not.toMatch(
      /https?:|<script(?! type="module" src="\/page\.js"><)| on\w+=| style=/,
    );
    const operators = await get(command, "/console");
    expect(operators.headers.get("content-security-policy")).toBe(policy);
    expect(await operators.text()).not.toMatch(
      /https?:|<script(?! type="module" src="\/console\.js"><)| on\w+=| style=/,
    );
  });

  test("lets pages of other sites load the element and its texts, and nothing else", async () => {
    const headers = { origin: "https://handbook.example", "sec-fetch-site": "cross-site" };
    const permission = async (path: string) => {
      const { status, headers: told } = await get(command, path, { headers });
      const names = ["cross-origin-resource-policy", "access-control-allow-origin"];
      return [path, status, ...names.map((name) => told.get(name))];
    };
    for (const path of ["/embed.js", "/words-de.js", "/words-zh-hant.js"]) {
      expect(await permission(path)).toEqual([path, 200, "cross-origin", "*"]);
    }
    for (const path of ["/", "/page.js", "/page.css"]) {
      expect(await permission(path)).toEqual([path, 200, "same-origin", null]);
    }
  });

  test("serves nothing else, neither the source nor wrangler's files", async () => {
    const others = ["/_headers", "/page.ts", "/src/web/page.ts", "/.dev.vars"];
    const files = ["/index", "/index.html", "/console.html", "/fonts/", "/fonts/x.woff2"];
    for (const path of [...others, ...files]) {
      const response = await get(command, path, { redirect: "manual" });
      expect([path, response.status]).toEqual([path, 404]);
    }
  });

  test("starts a session that can read its quota", async () => {
    const server = servers.get(command);
    const response = await get(command, "/api/v1/session", {
      method: "POST",
      headers: { origin: server?.url ?? "" },
    });
    expect(response.status).toBe(204);
    const cookie = response.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
    const quota = await get(command, "/api/v1/ai/quota", { headers: { cookie } });
    expect(await quota.json()).toMatchObject({ limit: 20, remaining: 20 });
  });
});
