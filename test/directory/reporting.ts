// A directory of its own for one test, with users who report to it.

import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { COUNTERS, type Counter } from "../../src/report.ts";
import type { ShownDay, ShownQuery, ShownUser } from "../../src/shown.ts";
import { adminPath, asOperator, newUser, scripted, type TestUser } from "../harness.ts";
import { directories } from "../worker.ts";

type Row = Record<string, SqlStorageValue>;

/** The rows of all tables of an object. */
export type Snapshot = ReadonlyMap<string, readonly Row[]>;

const TABLES = `SELECT name FROM sqlite_master
  WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name <> 'schema_version'`;

export class TestDirectory {
  readonly name = `directory ${crypto.randomUUID()}`;

  constructor(variables: Record<string, unknown> = {}) {
    directories.set(this.name, variables);
  }

  get stub() {
    return env.DIRECTORY.getByName(this.name);
  }

  /** The variables of its next instance. */
  set(variables: Record<string, unknown>): void {
    directories.set(this.name, variables);
  }

  /** Its next instance has the variables that were set. */
  restart(): Promise<void> {
    return abortAllDurableObjects();
  }

  /** A user who reports to it. */
  newUser(settings: Record<string, unknown> = {}, name?: string): Promise<TestUser> {
    const { name: own } = this;
    const DIRECTORY = { getByName: () => env.DIRECTORY.getByName(own) };
    return newUser(
      { QUOTA_LIMIT: "1000", REPEAT_WINDOW_SECONDS: "0", ...settings, DIRECTORY },
      name,
    );
  }

  async response(path: string): Promise<Response> {
    return this.stub.fetch(`https://object/api/v1/admin${path}`);
  }

  async get<T>(path: string): Promise<T> {
    const response = await this.response(path);
    if (response.status !== 200) throw new Error(`${path}: ${await response.text()}`);
    return response.json();
  }

  async users(parameters = ""): Promise<ShownUser[]> {
    return (await this.get<{ users: ShownUser[] }>(`/users?limit=200${parameters}`)).users;
  }

  async user({ name }: TestUser): Promise<ShownUser | undefined> {
    return (await this.users()).find(({ user }) => user === name);
  }

  async queries(parameters = ""): Promise<ShownQuery[]> {
    return (await this.get<{ queries: ShownQuery[] }>(`/queries?limit=200${parameters}`)).queries;
  }

  async days(): Promise<ShownDay[]> {
    return (await this.get<{ days: ShownDay[] }>("/totals?since=1970-01-01")).days;
  }

  /** Every row of every table as text. */
  async text(): Promise<string> {
    return JSON.stringify([...(await snapshot(this.stub))]);
  }
}

type Stub = DurableObjectStub<never> | TestUser["stub"] | TestDirectory["stub"];

export function snapshot(stub: Stub): Promise<Snapshot> {
  return runInDurableObject(stub as TestUser["stub"], (_object, { storage: { sql } }) => {
    const tables = sql.exec<{ name: string }>(TABLES).toArray();
    return new Map(
      tables.map(({ name }) => [name, sql.exec<Row>(`SELECT * FROM ${name}`).toArray()] as const),
    );
  });
}

/** Puts an object back to an earlier state, and starts it again. */
export async function restore(stub: Stub, tables: Snapshot): Promise<void> {
  await runInDurableObject(stub as TestUser["stub"], (_object, { storage }) => {
    storage.transactionSync(() => {
      for (const [table, rows] of tables) {
        storage.sql.exec(`DELETE FROM ${table}`);
        for (const row of rows) {
          const names = Object.keys(row);
          const places = names.map(() => "?").join(", ");
          storage.sql.exec(
            `INSERT INTO ${table} (${names.map((name) => `"${name}"`).join(", ")}) VALUES (${places})`,
            ...Object.values(row),
          );
        }
      }
    });
  });
  await abortAllDurableObjects();
}

/** Rings the user's alarm until nothing is left to report. */
export async function reported(user: TestUser): Promise<void> {
  // Each ring reports for a few seconds at most.
  for (let rings = 0; rings < 3; rings += 1) {
    await runInDurableObject(user.stub, (object) => object.alarm());
  }
}

/** An answer that is charged. Returns its query id. */
export async function answered(user: TestUser, words?: string): Promise<string> {
  const stream = await user.ask(scripted({ tokens: 2 }, words ?? crypto.randomUUID()));
  await stream.all();
  await user.resolved(stream.queryId);
  return stream.queryId;
}

export async function failed(user: TestUser): Promise<string> {
  const stream = await user.ask(scripted({ fault: "cut", at: 1 }, crypto.randomUUID()));
  await stream.all();
  return stream.queryId;
}

export async function left(user: TestUser): Promise<string> {
  const stream = await user.ask(scripted({ tokens: 500, gapMs: 20 }, crypto.randomUUID()));
  await stream.until("token");
  stream.leave();
  await user.resolved(stream.queryId);
  return stream.queryId;
}

export async function patched(user: TestUser, change: Record<string, unknown>): Promise<void> {
  const body = JSON.stringify(change);
  const { status } = await asOperator(adminPath(user), { method: "PATCH", body });
  if (status !== 200) throw new Error(`The change was refused with ${status}.`);
}

export async function refundedByOperator(user: TestUser, queryId: string): Promise<void> {
  const path = `${adminPath(user)}/queries/${queryId}/refund`;
  await asOperator(path, { method: "POST" });
}

export type Counted = Record<Exclude<Counter, "tokens">, number>;

/** How the rows of a user's own log have ended. */
export async function countedBy(users: readonly TestUser[]): Promise<Counted> {
  const counted = Object.fromEntries(
    COUNTERS.filter((name) => name !== "tokens").map((name) => [name, 0]),
  ) as Counted;
  for (const user of users) {
    for (const { ending } of await user.rows<{ ending: keyof Counted }>(
      "SELECT coalesce(reason, state) AS ending FROM queries WHERE state <> 'reserved'",
    )) {
      counted[ending] += 1;
    }
  }
  return counted;
}

/** The same of what the directory shows of its days. */
export function countedIn(days: readonly ShownDay[]): Counted {
  const all = days.map(({ charged, refunded }) => ({ charged, ...refunded }));
  return Object.fromEntries(
    COUNTERS.filter((name) => name !== "tokens").map((name) => [
      name,
      all.reduce((total, day) => total + day[name], 0),
    ]),
  ) as Counted;
}

/** Copies the user's first query, which is charged, until there are so many. */
export async function copyNewest(user: TestUser, count: number): Promise<void> {
  await user.rows(`
      WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
      INSERT INTO queries (number, id, state, window, asked_at, resolved_at, on_disconnect, query)
      SELECT i, printf('%s-%032d', (SELECT group_concat(substr('0123456789abcdefghijklmnopqrstuvwxyz',
        1 + (i / x) % 36, 1), '') FROM (SELECT 46656 AS x UNION ALL SELECT 1296 UNION ALL SELECT 36
        UNION ALL SELECT 1)), i), 'charged', window, asked_at + i, asked_at + i, 'cancel', 'Why?'
      FROM n, queries WHERE number = 1`);
  await user.rows(`UPDATE windows SET charged = ${count}`);
}
