// The tables of a user that an earlier release made. What the first edition wrote is opened
// whole in test/servers/upgrade.test.ts.

import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { USER_SCHEMA } from "../../src/user/tables.ts";
import { windowAt } from "../../src/window.ts";
import { audit, newUser, scripted, type TestUser } from "../harness.ts";

/** The tables of the first release. */
const FIRST = `
  CREATE TABLE settings (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    name TEXT NOT NULL,
    quota_limit INTEGER CHECK (quota_limit >= 0),
    refund_limit INTEGER CHECK (refund_limit >= 0),
    blocked INTEGER NOT NULL DEFAULT 0 CHECK (blocked IN (0, 1)),
    forgotten_to INTEGER NOT NULL DEFAULT 0,
    emptied_to INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE windows (
    window TEXT PRIMARY KEY,
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    charged INTEGER NOT NULL DEFAULT 0 CHECK (charged >= 0),
    refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded >= 0),
    left INTEGER NOT NULL DEFAULT 0 CHECK (left BETWEEN 0 AND refunded),
    pruned_charged INTEGER NOT NULL DEFAULT 0 CHECK (pruned_charged BETWEEN 0 AND charged),
    pruned_refunded INTEGER NOT NULL DEFAULT 0 CHECK (pruned_refunded BETWEEN 0 AND refunded)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE queries (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'charged', 'refunded')),
    reason TEXT CHECK (reason IN ('disconnected', 'cancelled', 'failed', 'expired', 'operator')),
    window TEXT NOT NULL,
    key TEXT,
    asked_at INTEGER NOT NULL,
    resolved_at INTEGER,
    on_disconnect TEXT NOT NULL CHECK (on_disconnect IN ('cancel', 'wait', 'continue')),
    query TEXT,
    answer TEXT,
    sources TEXT,
    finish TEXT CHECK (finish IN ('stop', 'length')),
    token_lengths TEXT,
    first_token_ms INTEGER,
    total_ms INTEGER,
    rating TEXT CHECK (rating IN ('up', 'down')),
    comment TEXT,
    CHECK ((state = 'refunded') = (reason IS NOT NULL)),
    CHECK ((state = 'reserved') = (resolved_at IS NULL))
  ) STRICT;
  CREATE TABLE keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    query_id TEXT NOT NULL,
    replayed_at INTEGER,
    replays INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
`;

const text = (value: unknown) => JSON.stringify(value);
const idOf = (number: number) => `${number}-${"0123456789abcdef".repeat(2)}`;

describe("a database of the first release", () => {
  it("keeps its answers, refunds what is still reserved, and counts new asks", async () => {
    const user = await newUser();
    const now = Date.now();
    const window = windowAt(now, "day");
    await runInDurableObject(user.stub, (_object, { storage: { sql } }) => {
      sql.exec(FIRST);
      sql.exec("INSERT INTO settings (one, name) VALUES (1, ?)", user.name);
      sql.exec("INSERT INTO windows VALUES (?, 1, 1, 1, 1, 0, 0)", window);
      const insert = `INSERT INTO queries (number, id, state, reason, window, asked_at, resolved_at,
        on_disconnect, query, answer, sources, finish, token_lengths) VALUES `;
      sql.exec(
        `${insert} (1, ?, 'charged', NULL, ?, ?, ?, 'cancel', 'One?', 'Yes. No.', '[]', 'stop', '[5,3]')`,
        ...[idOf(1), window, now, now],
      );
      sql.exec(
        `${insert} (2, ?, 'refunded', 'disconnected', ?, ?, ?, 'cancel', 'Two?', NULL, NULL, NULL, NULL)`,
        ...[idOf(2), window, now, now],
      );
      sql.exec(
        `${insert} (3, ?, 'reserved', NULL, ?, ?, NULL, 'cancel', 'Three?', NULL, NULL, NULL, NULL)`,
        ...[idOf(3), window, now],
      );
    });
    await abortAllDurableObjects();
    const stream = await user.events(idOf(1));
    await stream.all();
    expect(stream.answer).toBe("Yes. No.");
    expect(await user.receipt(idOf(3))).toMatchObject({ state: "refunded", reason: "expired" });
    expect(await user.quota()).toMatchObject({ charged: 1, refunded: 2, refundsLeft: 19 });
    const next = await user.ask(scripted({ tokens: 1 }));
    await next.all();
    expect(await user.resolved(next.queryId)).toMatchObject({ state: "charged" });
    expect((await user.receipts()).map(({ queryId }) => queryId)).toEqual([
      next.queryId,
      ...[3, 2, 1].map(idOf),
    ]);
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("has the columns and rules of a new one once it is migrated", async () => {
    const [old, fresh] = [await newUser(), await newUser()];
    const columns = async (user: TestUser) => {
      const tables = await user.rows<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' ORDER BY name",
      );
      return Promise.all(
        tables.map(async ({ name }) => {
          const rows = await user.rows(`SELECT * FROM pragma_table_info('${name}')`);
          return [name, rows.map(({ cid: _, ...row }) => text(row)).sort()];
        }),
      );
    };
    await runInDurableObject(old.stub, (_object, { storage: { sql } }) => {
      sql.exec(FIRST);
      sql.exec("INSERT INTO settings (one, name) VALUES (1, ?)", old.name);
    });
    await abortAllDurableObjects();
    await Promise.all([old, fresh].map((user) => user.quota()));
    expect(await columns(old)).toEqual(await columns(fresh));
    expect(await old.rows("SELECT version FROM schema_version")).toEqual([
      { version: USER_SCHEMA.version },
    ]);
    // Waking again changes nothing.
    await abortAllDurableObjects();
    await old.quota();
    expect(await columns(old)).toEqual(await columns(fresh));
    const tooMany = "INSERT INTO windows (window, refunds_counted) VALUES ('total', 1)";
    await expect(old.rows(tooMany)).rejects.toThrow("CHECK");
  });
});

describe("a database of a newer release", () => {
  it("is refused, says why in the log, and is left as it is", async () => {
    const user = await newUser();
    const stream = await user.ask({ tokens: 1 });
    await stream.all();
    const { queryId } = stream;
    await user.resolved(queryId);
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    await user.rows(`UPDATE schema_version SET version = ${USER_SCHEMA.version + 1}`);
    await abortAllDurableObjects();
    const response = await user.request("/ai/quota");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: "UNAVAILABLE" });
    expect(log.mock.calls.flat().join(" ")).toContain("Deploy the release that wrote it");
    log.mockRestore();
    // The release that wrote it finds everything again.
    await user.rows(`UPDATE schema_version SET version = ${USER_SCHEMA.version}`);
    await abortAllDurableObjects();
    expect(await user.receipt(queryId)).toMatchObject({ state: "charged" });
  });
});
