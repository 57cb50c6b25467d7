// What an operator sees of one user's object, and the audit of its counters.
// It only reads.

import type { Receipt } from "../protocol.ts";
import { type Counters, isCounted, type WindowRow } from "./ledger.ts";
import type { QueryRow } from "./queries.ts";
import { remaining } from "./quota.ts";
import { receipt } from "./receipt.ts";
import type { Run } from "./run.ts";
import type { Tables } from "./tables.ts";

export interface Inspection {
  readonly user: string;
  readonly limit: number;
  readonly refundLimit: number;
  readonly blocked: boolean;
  readonly windows: readonly Record<string, string | number>[];
  readonly reservations: readonly {
    readonly queryId: string;
    readonly ageMs: number;
    /** Whether it has a run; without one, the next sweep refunds it. */
    readonly live: boolean;
    readonly tokens: number;
  }[];
  readonly queries: readonly Receipt[];
  /** ISO 8601 in UTC; null where nothing is reserved or stored. */
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
    windows: ledger
      .windows()
      .map((row) => ({ ...shownWindow(row), remaining: remaining(limit, row) })),
    reservations: queries.reserved(ledger.reserved()).map(({ id, asked_at }) => ({
      queryId: id,
      ageMs: now - asked_at,
      live: runs.has(id),
      tokens: runs.get(id)?.transcript.tokens.length ?? 0,
    })),
    queries: (tables.pages.list({ limit: QUERIES_SHOWN })?.rows ?? []).map((row) =>
      shownReceipt(row, parts.shareQueries),
    ),
    alarmAt: alarmAt === null ? null : new Date(alarmAt).toISOString(),
    storageBytes,
    audit: audit(tables),
  };
}

/** Without question, answer and sources if SHARE_QUERIES is false. */
export function shownReceipt(row: QueryRow, shareQueries: boolean): Receipt {
  const whole = receipt(row);
  return shareQueries ? whole : { ...whole, query: null, answer: null, sources: null };
}

/** A window under the names of docs/protocol.md. */
export function shownWindow(row: WindowRow) {
  const { window, reserved, charged, refunded } = row;
  return {
    ...{ window, reserved, charged, refunded },
    left: row.refunds_counted,
    pruned_charged: row.pruned_charged,
    pruned_refunded: row.pruned_refunded,
    pruned_left: row.pruned_refunds_counted,
  };
}

/**
 * Counts every row again, adds the deleted ones, and compares each window's
 * counters.
 */
export function audit({ ledger, queries }: Pick<Tables, "ledger" | "queries">): Audit {
  const recounted = new Map<string, Counters>();
  for (const row of ledger.windows()) {
    recounted.set(row.window, {
      ...row,
      reserved: 0,
      charged: row.pruned_charged,
      refunded: row.pruned_refunded,
      refunds_counted: row.pruned_refunds_counted,
    });
  }
  const differences: string[] = [];
  for (const { window, state, reason, rows } of queries.recount()) {
    const counters = recounted.get(window);
    if (counters === undefined) {
      differences.push(`${window}: ${rows} rows are ${state}, but nothing is counted`);
      continue;
    }
    counters[state] += rows;
    if (isCounted(reason)) counters.refunds_counted += rows;
  }
  for (const row of ledger.windows()) {
    for (const counter of ["reserved", "charged", "refunded", "refunds_counted"] as const) {
      const rows = recounted.get(row.window)?.[counter];
      if (rows !== row[counter]) {
        const name = counter === "refunds_counted" ? "left" : counter;
        differences.push(`${row.window}: ${name} is ${row[counter]}, but ${rows} rows are`);
      }
    }
  }
  return { ok: differences.length === 0, differences };
}
