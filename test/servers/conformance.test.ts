// The checks for operators, `canary` and `conformance`: they pass on the server,
// and fail on servers that break one rule each.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Quota } from "../../src/protocol.ts";
import { finished, PROJECT, scriptOf, type } from "../support/command.ts";
import { type RunningServer, startServer } from "../support/server.ts";
import { bearer, request } from "../support/socket-client.ts";
import { startTamperingProxy, type Tampering } from "../support/tampering-proxy.ts";

const SECRET = "a secret that only this suite's server knows";
const ORIGIN = "https://app.example";
const VARIABLES = { CORS_ORIGINS: ORIGIN, RESUME_WAIT_SECONDS: "1", REPEAT_WINDOW_SECONDS: "20" };

let server: RunningServer;
let operatorToken: string;

beforeAll(async () => {
  server = await startServer({
    command: "serve",
    vars: { AUTH_SECRET: SECRET, EXTRACTIVE_TOKENS_PER_SECOND: "50", ...VARIABLES },
  });
  operatorToken = await bearer(SECRET, { user: "olivia", operator: true });
});
afterAll(() => server.stop());

/** One rule that a server breaks, and the rows that must fail. */
interface Fault {
  readonly name: string;
  readonly rows: readonly string[];
  readonly does: Tampering;
}

/** The last event of each kind of stream. */
const LAST = /(?:data: \{"type":"done".*|data: \[DONE\]|event: response\.completed\n.*)\n\n/;

const FAULTS: readonly Fault[] = [
  {
    name: "puts a comment into a stream",
    rows: ["an event is `data: <one-line JSON>` and a blank line, nothing else"],
    does: { body: (part) => part.replace('data: {"type":"token"', ": still here\n\n$&") },
  },
  {
    name: "loses the last event",
    rows: [
      "`done` was accepted: charged once",
      "a stream of chat completions has OpenAI's form, and is charged once",
      "a stream of a response has OpenAI's form, resumes anywhere, and is charged once",
      "a chat has the form of a UI message stream, and is charged once",
    ],
    does: { body: (part) => part.replace(LAST, "") },
  },
  {
    name: "does not notice disconnects",
    rows: [
      "a disconnect in the middle is refunded",
      "a disconnect from a stream of chat completions is refunded",
      "a disconnect from a chat is refunded",
    ],
    does: { hidesDisconnects: true },
  },
  {
    name: "refuses a stream with JSON",
    rows: ["with stream=true a refusal is the only event of an event stream"],
    does: {
      body: (part, status) => (status === 200 ? part : part.replace(/^data: |\n\n$/g, "")),
    },
  },
];

describe.concurrent("npm run conformance", () => {
  test("passes on the server, and restores the user's settings", async () => {
    const user = "ann/\u5f35 1";
    const userPath = `${server.url}/api/v1/admin/users/${encodeURIComponent(user)}`;
    const settings = { limit: 7, refundLimit: 5, blocked: false };
    await request(userPath, { token: operatorToken, method: "PATCH", body: settings });

    const { code, output, rows } = await conformance(server.url, user);
    expect(rows.filter(({ outcome }) => outcome !== "ok")).toEqual([]);
    expect(rows.length).toBeGreaterThan(50);
    expect(output).toContain(`\n${rows.length} ok, 0 FAILED, 0 skipped.\n`);
    expect(code).toBe(0);

    const { body } = await request(userPath, { token: operatorToken });
    expect(body).toMatchObject(settings);
  });

  test.each(FAULTS)("finds a server that $name", async (fault) => {
    const broken = await startTamperingProxy(server.url, fault.does);
    const { code, rows } = await conformance(broken.url, `finds ${fault.name}`);
    await broken.close();
    const failed = rows.filter(({ outcome }) => outcome === "FAILED").map(({ name }) => name);
    expect(failed).toEqual(expect.arrayContaining([...fault.rows]));
    expect(code).toBe(1);
  });
});

describe.concurrent("npm run canary", () => {
  test("sees that a disconnect is refunded, once", async () => {
    const token = await bearer(SECRET, { user: "canary" });
    const { code, output } = await run("canary", server.url, token);
    expect(output).toMatch(
      /^Disconnected on \w+: refunded within \d+ ms, and nothing was charged\.\n$/,
    );
    expect(code).toBe(0);
    const quota = await request<Quota>(`${server.url}/api/v1/ai/quota`, { token });
    expect(quota.body).toMatchObject({ charged: 0, reserved: 0, refunded: 1 });
  });

  test("sees that a server does not notice disconnects", async () => {
    const broken = await startTamperingProxy(server.url, { hidesDisconnects: true });
    const { code, output } = await run("canary", broken.url, await bearer(SECRET, { user: "x" }));
    await broken.close();
    expect(output).toContain("this deployment does not notice disconnects");
    expect(code).toBe(1);
  });

  test("says why it cannot tell", async () => {
    const token = await bearer(SECRET, { user: "poor" });
    for (const [body, what] of [
      [{ limit: 0 }, "quota"],
      [{ limit: 9, refundLimit: 0 }, "refund allowance"],
    ] as const) {
      const path = `${server.url}/api/v1/admin/users/poor`;
      await request(path, { token: operatorToken, method: "PATCH", body });
      const { code, output } = await run("canary", server.url, token);
      expect(output).toBe(`This user's ${what} is used up. Give --token of another user.\n`);
      expect(code).toBe(1);
    }
  });
});

test("no check leaves a document behind, or replaces the samples", async () => {
  const path = `${server.url}/api/v1/admin/documents`;
  const { body } = await request<{ documents: { id: string; sample?: boolean }[] }>(path, {
    token: operatorToken,
  });
  expect(body.documents.filter(({ id }) => id.startsWith("conformance-"))).toEqual([]);
  expect(body.documents.filter(({ sample }) => sample).length).toBeGreaterThan(5);
});

test("npm run conformance uses no code of the server", async () => {
  const folder = join(PROJECT, "conformance");
  const sources = await Promise.all(
    (await readdir(folder)).map((name) => readFile(join(folder, name), "utf8")),
  );
  const code = /^import (?!type\b)[^;]*"\.\.\/src\/[^;]*;/gm;
  expect(sources.flatMap((source) => source.match(code) ?? [])).toEqual([]);
});

/** Runs all rows for a user, and parses the output. */
async function conformance(url: string, user: string) {
  const { code, output } = await run("conformance", url, await bearer(SECRET, { user }), [
    `--operator-token=${operatorToken}`,
    ...Object.entries(VARIABLES).map(([name, value]) => `--var=${name}:${value}`),
  ]);
  const rows = [...output.matchAll(/^(.*\S) +(ok|FAILED|skipped) +(.*)$/gm)].map(
    ([, name, outcome, detail]) => ({ name, outcome, detail }),
  );
  return { code, output, rows };
}

/** Runs a command to its end. It must not print a bearer token. */
async function run(name: string, url: string, token: string, more: readonly string[] = []) {
  const args = [scriptOf(name), `--url=${url}`, `--token=${token}`, ...more];
  const { code, stdout, stderr } = await finished(type(process.execPath, args));
  const output = stdout + stderr;
  expect(output).not.toContain(token);
  expect(output).not.toContain(operatorToken);
  return { code, output };
}
