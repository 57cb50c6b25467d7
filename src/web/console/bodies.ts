// What user objects and corpora answer operators, as far as the console reads
// it (docs/protocol.md). src/shown.ts has what the directory answers.

import type { Receipt } from "../../protocol.ts";

export interface QuotaWindow {
  readonly window: string;
  readonly reserved: number;
  readonly charged: number;
  readonly refunded: number;
  readonly remaining: number;
}

export interface Reservation {
  readonly queryId: string;
  readonly ageMs: number;
  readonly live: boolean;
  readonly tokens: number;
}

/** One user's object. */
export interface UserBody {
  readonly user: string;
  readonly limit: number;
  readonly refundLimit: number;
  readonly blocked: boolean;
  readonly windows: readonly QuotaWindow[];
  readonly reservations: readonly Reservation[];
  readonly queries: readonly Receipt[];
  readonly alarmAt: string | null;
  readonly storageBytes: number;
  readonly audit: { readonly ok: boolean; readonly differences: readonly string[] };
}

/** A document in a list; one alone has its text. */
export interface DocumentEntry {
  readonly id: string;
  readonly title: string;
  readonly url: string | null;
  readonly passages: number;
  readonly bytes: number;
  readonly updatedAt: string;
  readonly contentHash: string;
  readonly sample?: true;
  readonly text?: string;
}

export interface Collection {
  readonly name: string;
  readonly documents: number;
  readonly passages: number;
}

export interface Passage {
  readonly id: string;
  readonly documentId: string;
  readonly title: string;
  readonly heading: readonly string[];
  readonly url: string | null;
  readonly snippet: string;
  readonly score: number;
}

interface BudgetPool {
  /** Null: without a limit. */
  readonly limit: number | null;
  readonly spent: number;
}

/** GET /admin/budget */
export interface BudgetBody {
  readonly period: string;
  /** Null if the period never ends. */
  readonly endsAt: string | null;
  readonly generations: BudgetPool;
  readonly anonymous: BudgetPool;
  readonly usd: BudgetPool;
}
