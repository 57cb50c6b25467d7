// The journal of one object's storage: triggers record each change
// of a counter or a state in its own transaction. A snapshot shows the rest.
// So no change between two looks is missed,
// and no claim of the object is trusted.

import type { QueryState, Quota, RefundReason } from "../../src/protocol.ts";
import type { Counters, WindowRow } from "../../src/user/ledger.ts";
import type { QueryRow } from "../../src/user/queries.ts";
import type { SettingsRow } from "../../src/user/settings.ts";

/** One change of a window's counters, with the limits at that time. */
export interface Count {
  readonly window: string;
  readonly before: Counters;
  readonly after: Counters;
  readonly limit: number;
  readonly refundLimit: number;
}

/**
 * One change of a query's state; null before it exists and after it is gone.
 */
export interface Transition {
  readonly id: string;
  readonly from: QueryState | null;
  readonly to: QueryState | null;
  readonly reason: RefundReason | null;
  readonly windows: readonly (string | null)[];
}

export type KnownKey = {
  key: string;
  query_id: string;
  replayed_at: number | null;
  replays: number;
};

export interface Snapshot {
  readonly rows: readonly QueryRow[];
  readonly windows: readonly WindowRow[];
  readonly keys: readonly KnownKey[];
  /** The journal since the last step, and its last number. */
  readonly counts: readonly Count[];
  readonly transitions: readonly Transition[];
  readonly last: number;
  /** The operator's settings, or else the variables. */
  readonly limit: number;
  readonly refundLimit: number;
  readonly blocked: boolean;
  readonly alarmAt: number | null;
  /** The quota as the user sees it. */
  readonly quota: Quota;
  readonly now: number;
}

const COUNTERS = [
  "reserved",
  "charged",
  "refunded",
  "refunds_counted",
  "pruned_charged",
  "pruned_refunded",
  "pruned_refunds_counted",
] as const satisfies readonly (keyof Counters)[];

/**
 * A trigger for each kind of change.
 * Limits are the settings, or else the variables.
 */
export function installJournal(sql: SqlStorage, limit: number, refundLimit: number): void {
  const counters = (row: "OLD" | "NEW") => COUNTERS.map((name) => `${row}.${name}`).join(", ");
  const limits = `(SELECT coalesce(quota_limit, ${limit}) FROM settings),
    (SELECT coalesce(refund_limit, ${refundLimit}) FROM settings)`;
  sql.exec(`
    CREATE TABLE journal (number INTEGER PRIMARY KEY, entry TEXT NOT NULL) STRICT;
    CREATE TRIGGER window_inserted AFTER INSERT ON windows BEGIN
      INSERT INTO journal (entry) VALUES (json_array('count', NEW.window,
        json_array(${COUNTERS.map(() => "0").join(", ")}), json_array(${counters("NEW")}), ${limits}));
    END;
    CREATE TRIGGER window_updated AFTER UPDATE ON windows BEGIN
      INSERT INTO journal (entry) VALUES (json_array('count', NEW.window,
        json_array(${counters("OLD")}), json_array(${counters("NEW")}), ${limits}));
    END;
    CREATE TRIGGER query_inserted AFTER INSERT ON queries BEGIN
      INSERT INTO journal (entry) VALUES (json_array('query', NEW.id, NULL, NEW.state, NEW.reason,
        json_array(NULL, NEW.window)));
    END;
    CREATE TRIGGER query_updated AFTER UPDATE OF state, reason, window, id ON queries BEGIN
      INSERT INTO journal (entry) VALUES (json_array('query', NEW.id, OLD.state, NEW.state,
        NEW.reason, json_array(OLD.window, NEW.window)));
    END;
    CREATE TRIGGER query_deleted AFTER DELETE ON queries BEGIN
      INSERT INTO journal (entry) VALUES (json_array('query', OLD.id, OLD.state, NULL, OLD.reason,
        json_array(OLD.window, NULL)));
    END;
  `);
}

/**
 * Makes every change of a counter fail.
 * A transaction then fails at its start or in the middle.
 */
export function breakCounters(sql: SqlStorage): void {
  for (const change of ["INSERT", "UPDATE"]) {
    sql.exec(
      `CREATE TRIGGER broken_${change} BEFORE ${change} ON windows BEGIN
         SELECT RAISE(ABORT, 'disk I/O error');
       END`,
    );
  }
}

export function mendCounters(sql: SqlStorage): void {
  sql.exec("DROP TRIGGER broken_INSERT; DROP TRIGGER broken_UPDATE");
}

const TABLES = ["queries", "windows", "keys", "settings"];
/** The error of a write in an outage. */
export const OUT = "database or disk is full";

/** Makes every write fail except the journal's. */
export function refuseWrites(sql: SqlStorage): void {
  for (const table of TABLES) {
    for (const change of ["INSERT", "UPDATE", "DELETE"]) {
      sql.exec(
        `CREATE TRIGGER out_${change}_${table} BEFORE ${change} ON ${table} BEGIN
           SELECT RAISE(ABORT, '${OUT}');
         END`,
      );
    }
  }
}

export function takeWrites(sql: SqlStorage): void {
  for (const table of TABLES) {
    sql.exec(
      `DROP TRIGGER out_INSERT_${table}; DROP TRIGGER out_UPDATE_${table};
       DROP TRIGGER out_DELETE_${table}`,
    );
  }
}

export function takeSnapshot(
  sql: SqlStorage,
  since: number,
  variables: { readonly limit: number; readonly refundLimit: number },
): Omit<Snapshot, "alarmAt" | "quota"> {
  const settings = sql.exec<SettingsRow>("SELECT * FROM settings").one();
  const counts: Count[] = [];
  const transitions: Transition[] = [];
  const entries = sql.exec<{ number: number; entry: string }>(
    "SELECT number, entry FROM journal WHERE number > ? ORDER BY number",
    since,
  );
  let last = since;
  for (const { number, entry } of entries) {
    last = number;
    const [kind, ...rest] = JSON.parse(entry);
    if (kind === "count") {
      const [window, before, after, limit, refundLimit] = rest;
      counts.push({ window, before: named(before), after: named(after), limit, refundLimit });
    } else {
      const [id, from, to, reason, windows] = rest;
      transitions.push({ id, from, to, reason, windows });
    }
  }
  return {
    rows: sql.exec<QueryRow>("SELECT * FROM queries ORDER BY number").toArray(),
    windows: sql.exec<WindowRow>("SELECT * FROM windows ORDER BY window").toArray(),
    keys: sql.exec<KnownKey>("SELECT key, query_id, replayed_at, replays FROM keys").toArray(),
    counts,
    transitions,
    last,
    limit: settings.quota_limit ?? variables.limit,
    refundLimit: settings.refund_limit ?? variables.refundLimit,
    blocked: settings.blocked === 1,
    now: Date.now(),
  };
}

function named(values: readonly number[]): Counters {
  return Object.fromEntries(COUNTERS.map((name, index) => [name, values[index]])) as Counters;
}
