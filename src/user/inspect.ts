// What an operator sees of one user's object, and the audit that proves its counters. Reads only.

import type { Receipt } from "../protocol.ts";
import type { Ledger, WindowRow } from "./ledger.ts";
import { type Queries, receipt } from "./queries.ts";
import { remaining } from "./quota.ts";
import type { Run } from "./run.ts";
import type { Settings } from "./settings.ts";

export interface Inspection {
  readonly user: string;
  readonly limit: number;
  readonly refundLimit: number;
  readonly blocked: boolean;
  readonly windows: readonly (WindowRow & { readonly remaining: number })[];
  readonly reservations: readonly {
    readonly queryId: string;
    readonly ageMs: number;
    /** Whether a run stands behind it; without one, the next sweep refunds it. */
    readonly live: boolean;
    readonly tokens: number;
  }[];
  readonly queries: readonly Receipt[];
  /** ISO 8601 in UTC; null where nothing is reserved, and so nothing to sweep. */
  readonly alarmAt: string | null;
  readonly storageBytes: number;
  readonly audit: Audit;
}

export interface Audit {
  readonly ok: boolean;
  readonly differences: readonly string[];
}

/** The newest queries that an inspection shows. */
const QUERIES_SHOWN = 20;

export function inspect(parts: {
  readonly now: number;
  readonly settings: Settings;
  readonly ledger: Ledger;
  readonly queries: Queries;
  readonly runs: ReadonlyMap<string, Run>;
  readonly limit: number;
  readonly refundLimit: number;
  readonly shareQueries: boolean;
  readonly alarmAt: number | null;
  readonly storageBytes: number;
}): Inspection {
  const { now, ledger, queries, runs, limit, refundLimit, alarmAt, storageBytes } = parts;
  const settings = parts.settings.get();
  return {
    user: settings.name,
    limit,
    refundLimit,
    blocked: settings.blocked === 1,
    windows: ledger.windows().map((row) => ({ ...row, remaining: remaining(limit, row) })),
    reservations: queries.reserved(ledger.reserved()).map(({ id, asked_at }) => ({
      queryId: id,
      ageMs: now - asked_at,
      live: runs.has(id),
      tokens: runs.get(id)?.transcript.tokens.length ?? 0,
    })),
    queries: (queries.list(QUERIES_SHOWN) ?? []).map((row) => {
      const whole = receipt(row);
      return parts.shareQueries ? whole : { ...whole, query: null, answer: null, sources: null };
    }),
    alarmAt: alarmAt === null ? null : new Date(alarmAt).toISOString(),
    storageBytes,
    audit: audit(ledger, queries),
  };
}

/** Recounts every row, adds those that are gone, and compares: the counters must agree in each window. */
export function audit(ledger: Ledger, queries: Queries): Audit {
  const counted = new Map<string, number>();
  for (const { window, state, rows } of queries.recount()) counted.set(`${window} ${state}`, rows);
  const differences: string[] = [];
  for (const row of ledger.windows()) {
    for (const state of ["reserved", "charged", "refunded"] as const) {
      const pruned = state === "reserved" ? 0 : row[`pruned_${state}`];
      const rows = (counted.get(`${row.window} ${state}`) ?? 0) + pruned;
      counted.delete(`${row.window} ${state}`);
      if (rows !== row[state]) {
        differences.push(`${row.window}: ${state} is ${row[state]}, but ${rows} rows are`);
      }
    }
  }
  for (const [place, rows] of counted) differences.push(`${place}: ${rows} rows, but no counter`);
  return { ok: differences.length === 0, differences };
}
