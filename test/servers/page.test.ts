// The page on both servers: the same files and the same headers.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, startServer } from "../support/server.ts";

const COMMANDS = ["start", "serve"] as const;
const PATHS = ["/", "/page.js", "/page.css", "/icon.svg"];
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

  test("lets the page load, run and call only what this site serves", async () => {
    const policy = (await get(command, "/")).headers.get("content-security-policy");
    expect(policy).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    );
    const html = await (await get(command, "/")).text();
    expect(html).not.toMatch(
      /https?:|<script(?! type="module" src="\/page\.js"><)| on\w+=| style=/,
    );
  });

  test("serves nothing else, neither the source nor wrangler's files", async () => {
    for (const path of ["/_headers", "/page.ts", "/src/web/page.ts", "/.dev.vars", "/index"]) {
      const response = await get(command, path, { redirect: "manual" });
      expect([path, response.status < 400 && response.status]).toEqual([
        path,
        path === "/index" && command === "start" ? 307 : false,
      ]);
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
