// What an operator sees of one user's object, and the audit that proves its counters. Reads only.

import type { Receipt } from "../protocol.ts";
import { type Counters, isLeft, type WindowRow } from "./ledger.ts";
import { type QueryRow, receipt } from "./queries.ts";
import { remaining } from "./quota.ts";
import type { Run } from "./run.ts";
import type { Tables } from "./tables.ts";

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
  /** ISO 8601 in UTC; null where nothing is reserved and nothing is kept that grows old. */
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
  readonly tables: Tables;
  readonly runs: ReadonlyMap<string, Run>;
  readonly limit: number;
  readonly refundLimit: number;
  readonly shareQueries: boolean;
  readonly alarmAt: number | null;
  readonly storageBytes: number;
}): Inspection {
  const { now, tables, runs, limit, refundLimit, alarmAt, storageBytes } = parts;
  const { ledger, queries } = tables;
  const settings = tables.settings.get();
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
    queries: (queries.page(QUERIES_SHOWN)?.rows ?? []).map((row) =>
      shownReceipt(row, parts.shareQueries),
    ),
    alarmAt: alarmAt === null ? null : new Date(alarmAt).toISOString(),
    storageBytes,
    audit: audit(tables),
  };
}

/** A receipt as operators may see it: with no word of what was said, but for the user's own comment, where texts are not shared. */
export function shownReceipt(row: QueryRow, shareQueries: boolean): Receipt {
  const whole = receipt(row);
  return shareQueries ? whole : { ...whole, query: null, answer: null, sources: null };
}

/** Recounts every row, adds those that are gone, and compares: the counters must agree in each window. */
export function audit({ ledger, queries }: Pick<Tables, "ledger" | "queries">): Audit {
  const recounted = new Map<string, Counters>();
  for (const row of ledger.windows()) {
    const { window, pruned_charged: charged, pruned_refunded: refunded, pruned_left: left } = row;
    recounted.set(window, { ...row, reserved: 0, charged, refunded, left });
  }
  const differences: string[] = [];
  for (const { window, state, reason, rows } of queries.recount()) {
    const counters = recounted.get(window);
    if (counters === undefined) {
      differences.push(`${window}: ${rows} rows are ${state}, but nothing is counted`);
      continue;
    }
    counters[state] += rows;
    if (isLeft(reason)) counters.left += rows;
  }
  for (const row of ledger.windows()) {
    for (const counter of ["reserved", "charged", "refunded", "left"] as const) {
      const rows = recounted.get(row.window)?.[counter];
      if (rows !== row[counter]) {
        differences.push(`${row.window}: ${counter} is ${row[counter]}, but ${rows} rows are`);
      }
    }
  }
  return { ok: differences.length === 0, differences };
}
