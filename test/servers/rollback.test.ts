// A release meets databases that a newer one has brought to a schema that it
// does not know, as after a rollback: it refuses them, and writes nothing.

import { globSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Receipt } from "../../src/protocol.ts";
import { type Incarnation, type Incarnations, incarnations } from "../support/incarnations.ts";
import { SECRET } from "../support/server.ts";
import { bearer, request } from "../support/socket-client.ts";

const SWEEP_MS = 50;
const VARIABLES = {
  AUTH_SECRET: SECRET,
  GENERATOR: "extractive",
  DELIVERY_HOLD_MS: "20",
  SWEEP_INTERVAL_MS: String(SWEEP_MS),
  BUDGET_LIMIT: "9",
};
const NEWER = 1_000;

let servers: Incarnations;
let server: Incarnation;
let alice: string;
let operator: string;
/** The versions of the schemas, by file. */
let versions: Map<string, number>;
/** What the newer release has left, by file. */
let left: Map<string, string>;

interface Sent {
  readonly method?: string;
  readonly body?: unknown;
  readonly token?: string;
}

const send = (path: string, options: Sent = {}) =>
  request<{ code?: string; queries?: Receipt[] }>(`${server.url}/api/v1${path}`, {
    token: path.startsWith("/admin") ? operator : alice,
    ...options,
  });

const ask = () => send("/ai/ask", { method: "POST", body: { query: "When is the pond clean?" } });

const put = (id: string) =>
  send(`/admin/documents/${id}`, {
    method: "PUT",
    body: { title: id, text: "The pond is clean in October." },
  });

beforeAll(async () => {
  alice = await bearer(SECRET, { user: "alice" });
  operator = await bearer(SECRET, { user: "olivia", operator: true });
  servers = await incarnations(VARIABLES);
  server = await servers.start();
  await put("pond");
  expect((await ask()).status).toBe(200);
  // The user object reports with its alarm.
  const isReported = async () =>
    expect(JSON.stringify((await send("/admin/users")).body)).toContain("alice");
  await vi.waitFor(isReported, { timeout: 20_000, interval: 100 });
  await server.kill9();
  const files = databases(servers.persistTo);
  versions = new Map(files.map((file) => [file, versionOf(file)]));
  for (const file of files) setVersion(file, NEWER);
  left = contents(servers.persistTo);
  server = await servers.start();
});

afterAll(async () => {
  await server?.kill9();
  await servers?.remove();
});

test("after a rollback, databases of users, documents, the directory and the budget are there", () => {
  const kinds = [...left.keys()].map((file) => file.split("/").at(-2));
  expect(new Set(kinds)).toEqual(
    new Set(["User", "Corpus", "Directory", "Budget"].map((kind) => `belay-${kind}Object`)),
  );
});

test("every request that needs one of them is refused with UNAVAILABLE", async () => {
  const replies = [
    await ask(),
    await send("/ai/quota"),
    await send("/ai/queries"),
    await send("/admin/users"),
    await send("/admin/users/alice"),
    await send("/admin/documents"),
    await put("lawn"),
    await send("/admin/budget"),
    await send("/admin/budget", { method: "PATCH", body: { limit: 5 } }),
  ];
  expect(replies.map(({ status, body }) => [status, body.code])).toEqual(
    replies.map(() => [503, "UNAVAILABLE"]),
  );
});

test("nothing is written, by no alarm either, and the log says what to deploy", async () => {
  await delay(10 * SWEEP_MS);
  await server.kill9();
  expect(contents(servers.persistTo)).toEqual(left);
  expect(servers.log.join("\n")).toContain("Deploy the release that wrote it, or a later one.");
});

test("the release that wrote them goes on with what was there", async () => {
  for (const [file, version] of versions) setVersion(file, version);
  server = await servers.start();
  const { queries = [] } = (await send("/ai/queries")).body;
  expect(queries).toMatchObject([{ state: "charged" }]);
  expect((await ask()).status).toBe(200);
});

/** Those that have tables of ours. */
function databases(folder: string): string[] {
  const files = globSync("belay-*/*.sqlite", { cwd: folder });
  return files
    .filter((file) => !file.endsWith("/metadata.sqlite"))
    .map((file) => join(folder, file))
    .filter((file) => tablesOf(file).includes("schema_version"));
}

function tablesOf(file: string): string[] {
  return withDatabase(file, (database) =>
    rows(database, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      .map(({ name }) => String(name))
      .filter((name) => !/^(_cf|sqlite)_/.test(name)),
  );
}

function versionOf(file: string): number {
  return withDatabase(file, (database) =>
    Number(rows(database, "SELECT version FROM schema_version")[0]?.version),
  );
}

function setVersion(file: string, version: number): void {
  withDatabase(file, (database) => database.exec(`UPDATE schema_version SET version = ${version}`));
}

/** Each row of each table, by file. */
function contents(folder: string): Map<string, string> {
  return new Map(
    databases(folder).map((file) => {
      const tables = tablesOf(file);
      const all = withDatabase(file, (database) =>
        tables.map((name) => [name, rows(database, `SELECT * FROM "${name}"`)]),
      );
      return [file, JSON.stringify(all)];
    }),
  );
}

function rows(database: DatabaseSync, query: string): Record<string, unknown>[] {
  return database.prepare(query).all();
}

function withDatabase<T>(file: string, use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file);
  try {
    return use(database);
  } finally {
    database.close();
  }
}
