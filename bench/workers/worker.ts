// The real Worker with five routes more, never deployed: for what shows
// from inside only.
//
//   POST /searches?topK=N   searches for each string of a JSON list
//   GET /written?user=NAME  the rows that this user's object has written
//   POST /seed?user=NAME&count=N   copies this user's newest query N times
//   POST /reports           sends made-up reports to the directory
//   GET /directory          the rows that the directory has written, and its size

import { handle } from "../../src/edge/edge.ts";
import {
  CorpusObject as BaseCorpusObject,
  DirectoryObject as BaseDirectoryObject,
  UserObject as BaseUserObject,
  corpusStub,
  directoryStub,
  type Env,
  userStub,
} from "../../src/wiring.ts";
import type { Reports, Written } from "../written.ts";
import { objectId, report } from "./reports.ts";

// Its other objects.
export * from "../../src/worker.ts";

type Row = Record<string, SqlStorageValue>;
type QueryRow = Row & { readonly key: string };

/** A transaction of SQLite is held in memory until it ends. */
const SEEDED_AT_ONCE = 20_000;
/** Reports that are sent at a time. */
const REPORTS_AT_ONCE = 20;
/** Of queries, beside one day of keys. */
const DAYS_KEPT = 30;

export class UserObject extends BaseUserObject {
  readonly #cursors: SqlStorageCursor<Row>[] = [];
  #alarms = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    // A million queries that were not asked are not reported.
    super(ctx, isSeeded(ctx) ? withoutDirectory(env) : env);
    const { storage } = ctx;
    const exec = storage.sql.exec.bind(storage.sql);
    storage.sql.exec = (query: string, ...bindings: unknown[]) => {
      const cursor = exec<never>(query, ...bindings);
      this.#cursors.push(cursor);
      return cursor;
    };
    const setAlarm = storage.setAlarm.bind(storage);
    storage.setAlarm = (time, options) => {
      this.#alarms += 1;
      return setAlarm(time, options);
    };
  }

  written(): Written {
    const rows = this.#cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0);
    return { rows, alarms: this.#alarms };
  }

  async seed(count: number): Promise<void> {
    const { storage } = this.ctx;
    storage.sql.exec("CREATE TABLE IF NOT EXISTS seeded (one INTEGER)");
    for (let left = count; left > 0; left -= SEEDED_AT_ONCE) {
      const copied = Math.min(left, SEEDED_AT_ONCE);
      storage.transactionSync(() => this.#copyNewest(copied, left <= count / DAYS_KEPT));
      await storage.sync();
    }
    // What it knows by heart is no longer so.
    this.ctx.abort("seeded");
  }

  /** @param hasKeys Keys are kept for a day, queries for a month. */
  #copyNewest(count: number, hasKeys: boolean): void {
    const { sql } = this.ctx.storage;
    const newest = sql.exec<QueryRow>("SELECT * FROM queries ORDER BY number DESC LIMIT 1").one();
    const key = sql.exec("SELECT * FROM keys WHERE key = ?", newest.key).one();
    const last = Number(newest.number);
    for (let number = last + 1; number <= last + count; number += 1) {
      const id = `${number.toString(36)}-${crypto.randomUUID().replaceAll("-", "")}`;
      const hash = hasKeys ? `key:${crypto.randomUUID()}` : newest.key;
      // A row is found by its number: its sources only make the file longer.
      insert(sql, "queries", { ...newest, number, id, key: hash, sources: "[]" });
      if (hasKeys) insert(sql, "keys", { ...key, key: hash, query_id: id });
    }
    sql.exec(
      "UPDATE windows SET charged = charged + ? WHERE window = ?",
      count,
      newest.window ?? "",
    );
    this.#cursors.length = 0;
  }
}

export class CorpusObject extends BaseCorpusObject {
  /** Returns how many passages were found in all. */
  async searches(queries: readonly string[], topK: number): Promise<number> {
    let found = 0;
    for (const query of queries) found += (await this.search(query, topK)).length;
    return found;
  }
}

/** Of all instances of the directory: a new one may begin meanwhile. */
const directoryWrites = { cursors: [] as SqlStorageCursor<Row>[], rows: 0, alarms: 0 };

function countDirectoryRows(): void {
  for (const done of directoryWrites.cursors.splice(0)) directoryWrites.rows += done.rowsWritten;
}

export class DirectoryObject extends BaseDirectoryObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { storage } = ctx;
    const setAlarm = storage.setAlarm.bind(storage);
    storage.setAlarm = (time, options) => {
      directoryWrites.alarms += 1;
      return setAlarm(time, options);
    };
    const exec = storage.sql.exec.bind(storage.sql);
    storage.sql.exec = (query: string, ...bindings: unknown[]) => {
      const cursor = exec<never>(query, ...bindings);
      // The last one may not have been read yet.
      countDirectoryRows();
      directoryWrites.cursors.push(cursor);
      return cursor;
    };
  }

  size(): Written & { readonly bytes: number } {
    countDirectoryRows();
    const { rows, alarms } = directoryWrites;
    return { rows, alarms, bytes: this.ctx.storage.sql.databaseSize };
  }
}

async function sendReports(env: Env, { users, reports, ...each }: Reports): Promise<void> {
  let next = 0;
  const work = async () => {
    for (let user = next++; user < users; user = next++) {
      const directory = directoryStub(env);
      for (let sent = 0; sent < reports / users; sent += 1) {
        const made = report({ ...each, user, before: each.before + sent });
        const at = await directory?.report(objectId(user), made);
        if (at?.last !== made.to.last) throw new Error("A report was not applied.");
      }
    }
  };
  await Promise.all(Array.from({ length: REPORTS_AT_ONCE }, work));
}

function withoutDirectory({ DIRECTORY: _, ...env }: Env): Env {
  return env as Env;
}

function isSeeded({ storage }: DurableObjectState): boolean {
  const seeded = "SELECT 1 FROM sqlite_master WHERE name = 'seeded'";
  return storage.sql.exec(seeded).toArray().length > 0;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const name = searchParams.get("user") ?? "";
    // The bindings are to the classes above.
    const user = () => userStub(env, name) as unknown as DurableObjectStub<UserObject>;
    switch (pathname) {
      case "/searches": {
        const corpus = corpusStub(env) as unknown as DurableObjectStub<CorpusObject>;
        const topK = Number(searchParams.get("topK"));
        return Response.json(await corpus.searches(await request.json<string[]>(), topK));
      }
      case "/written":
        return Response.json(await user().written());
      case "/seed":
        // It ends the object, which fails the call.
        await user()
          .seed(Number(searchParams.get("count")))
          .catch((error: Error) => {
            if (!error.message.includes("seeded")) throw error;
          });
        return Response.json(null);
      case "/reports":
        await sendReports(env, await request.json<Reports>());
        return Response.json(null);
      case "/directory": {
        const directory = directoryStub(env) as unknown as DurableObjectStub<DirectoryObject>;
        return Response.json(await directory.size());
      }
      default:
        return handle(request, env);
    }
  },
} satisfies ExportedHandler<Env>;

function insert(sql: SqlStorage, table: string, row: Row): void {
  const columns = Object.keys(row);
  sql.exec(
    `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
    ...Object.values(row),
  );
}
