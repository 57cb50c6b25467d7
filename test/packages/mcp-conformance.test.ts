// The official conformance suite of MCP, as far as a server can pass it that
// has two tools, and neither prompts nor resources.

import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, request as httpRequest, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listen } from "../support/listen.ts";
import { Site } from "./site.ts";

const SUITE = join(import.meta.dirname, "node_modules/@modelcontextprotocol/conformance/dist");

/** What asks for tools, prompts or resources that only its own server has. */
const NOT_OURS = [
  "sep-2549-prompts-list-caching-hints",
  "sep-2549-resources-list-caching-hints",
  "sep-2549-resources-templates-list-caching-hints",
  "sep-2575-http-server-no-independent-requests-on-stream",
  "sep-2575-missing-capability-http-400",
  "sep-2575-server-no-log-without-loglevel",
  "sep-2575-server-rejects-undeclared-capability",
];

interface Check {
  readonly id: string;
  readonly status: "SUCCESS" | "FAILURE" | "WARNING" | "INFO" | "SKIPPED";
  readonly errorMessage?: string;
}

let site: Site;
/** It adds the bearer token, which the suite cannot send. */
let proxy: Server;
let url: string;

beforeAll(async () => {
  site = await Site.start();
  const { key } = await site.customer();
  proxy = createServer((asked, response) => {
    const headers = { ...asked.headers, authorization: `Bearer ${key}` };
    const passed = httpRequest(new URL(asked.url ?? "/", site.url), {
      method: asked.method ?? "GET",
      headers,
    });
    passed.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => response.destroy());
    response.on("close", () => passed.destroy());
    asked.pipe(passed);
  });
  url = await listen(proxy);
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await site.stop();
});

describe.concurrent("the conformance suite of MCP", () => {
  test.each([
    ["server-initialize", "2025-11-25", 3],
    ["server-session-lifecycle", "2025-11-25", 1],
    ["ping", "2025-11-25", 2],
    ["tools-list", "2025-11-25", 3],
    ["server-sse-multiple-streams", "2025-11-25", 2],
    ["dns-rebinding-protection", "2025-11-25", 2],
    ["server-stateless", "2026-07-28", 24],
    ["tools-list", "2026-07-28", 4],
    ["caching", "2026-07-28", 4],
    ["http-header-validation", "2026-07-28", 14],
    ["dns-rebinding-protection", "2026-07-28", 2],
  ])("passes %s of %s with %i checks", async (scenario, version, passed) => {
    const checks = await run(scenario, version);
    const failed = checks.filter(
      ({ id, status }) => /FAILURE|WARNING/.test(status) && !NOT_OURS.includes(id),
    );
    expect(failed).toEqual([]);
    expect(checks.filter(({ status }) => status === "SUCCESS").length).toBe(passed);
  });
});

async function run(scenario: string, version: string): Promise<Check[]> {
  const folder = await mkdtemp(join(tmpdir(), "belay-conformance-"));
  const options = { scenario, "spec-version": version, url: `${url}/mcp`, "output-dir": folder };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  // It fails where a check does, which the caller looks at.
  const command = [join(SUITE, "index.js"), "server", ...args];
  await promisify(execFile)(process.execPath, command).catch(() => {});
  const files = await readdir(folder, { recursive: true });
  const checks = files.find((file) => file.endsWith("checks.json")) ?? "checks.json";
  const text = await readFile(join(folder, checks), "utf8");
  await rm(folder, { recursive: true });
  return JSON.parse(text);
}
