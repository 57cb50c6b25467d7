// Data folders that released versions wrote (released/write.ts makes them): the present
// release opens each, and finds every answer, receipt, counter, key and document again.

import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Quota, Receipt } from "../../src/protocol.ts";
import { scripted } from "../support/directive.ts";
import { type ScriptedServer, SECRET, startScriptedServer } from "../support/server.ts";
import { ask, bearer, request } from "../support/socket-client.ts";
import { lookAt, type Seen, VARS } from "./released/look.ts";

const RELEASED = join(import.meta.dirname, "released");

describe.each(["first", "second", "third"])("a data folder of the %s edition", (name) => {
  let folder: string;
  let server: ScriptedServer;
  let written: Seen & { writtenAt: number };
  let alice: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "belay-upgrade-"));
    written = JSON.parse(await readFile(join(RELEASED, `${name}.json`), "utf8"));
    execFileSync("tar", ["-C", folder, "-xzf", join(RELEASED, `${name}.tar.gz`)]);
    await moveTo(Date.now() - written.writtenAt, join(folder, "data"));
    alice = await bearer(SECRET, { user: "alice" });
    server = await startScriptedServer({ persistTo: join(folder, "data"), vars: VARS });
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true });
  });

  const get = async <Body>(path: string) =>
    (await request<Body>(`${server.url}/api/v1${path}`, { token: alice })).body;

  test("is found again whole", async () => {
    const { writtenAt: _, ...before } = written;
    expect(await lookAt(server.url)).toEqual(before);
  });

  test("gives a stored answer again, free, by its id and by its key", async () => {
    const receipt = written.receipts.find(({ answer }) => answer === "kept by key");
    const key = { "idempotency-key": "key-1" };
    const query = receipt?.query ?? "";
    const again = ask(server.url, { token: alice, body: { query }, headers: key });
    await again.untilEnd();
    expect(again.answer).toBe("kept by key");
    expect(again.headers["idempotency-replayed"]).toBe("true");
    expect(again.headers["x-query-id"]).toBe(receipt?.queryId);
    const events = `${server.url}/api/v1/ai/queries/${receipt?.queryId}/events`;
    const { body } = await request<string>(events, { token: alice });
    expect(body).toContain('{"type":"token","token":"kept "}');
  });

  test("reserves and charges the next ask, and its counters agree", async () => {
    const before = await get<Quota>("/ai/quota");
    const asked = ask(server.url, {
      token: alice,
      body: { query: scripted({ tokens: 1 }, "After the upgrade?") },
    });
    await asked.untilEnd();
    // The charge follows the last byte.
    await vi.waitFor(async () => {
      const after = await get<Quota>("/ai/quota");
      expect(after).toMatchObject({ charged: before.charged + 1, reserved: 0 });
    });
    const { queries } = await get<{ queries: Receipt[] }>("/ai/queries");
    expect(queries[0]).toMatchObject({ state: "charged", answer: "w0 " });
    expect((await lookAt(server.url)).alice.audit).toEqual({ ok: true, differences: [] });
  });

  test("keeps a user blocked", async () => {
    const { status, body } = await request(`${server.url}/api/v1/ai/ask`, {
      method: "POST",
      token: await bearer(SECRET, { user: "bob" }),
      body: { query: "Am I blocked?" },
    });
    expect([status, body.code]).toEqual([403, "BLOCKED"]);
  });

  test("takes another document, and answers from it", async () => {
    const operator = await bearer(SECRET, { user: "operator", operator: true });
    const document = { title: "Pond", text: "Clean the pond in October." };
    const put = await request(`${server.url}/api/v1/admin/documents/pond`, {
      method: "PUT",
      token: operator,
      body: document,
    });
    expect(put.status).toBe(201);
    const { body } = await request<{ passages: { documentId: string }[] }>(
      `${server.url}/api/v1/admin/documents?search=pond`,
      { token: operator },
    );
    expect(body.passages[0]?.documentId).toBe("pond");
  });
});

/** Moves the times of all queries, so that nothing is pruned because a fixture is old. */
async function moveTo(ms: number, persistTo: string): Promise<void> {
  const users = join(persistTo, "belay-UserObject");
  for (const file of await readdir(users)) {
    const database = new DatabaseSync(join(users, file));
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE name = 'queries'").all();
    if (tables.length > 0) {
      database
        .prepare("UPDATE queries SET asked_at = asked_at + ?1, resolved_at = resolved_at + ?1")
        .run(ms);
    }
    database.close();
  }
}
