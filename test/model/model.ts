// The plain model: the outcome of a user's queries, step by step,
// where the promise determines it. After simultaneous steps,
// whose order is unknown, it adopts the outcome.

import type { ErrorCode, OnDisconnect, QueryState, RefundReason } from "../../src/protocol.ts";
import type { Connection } from "./connection.ts";
import type { Snapshot } from "./journal.ts";
import { isAboutNothing } from "./upstream.ts";

export interface Settings {
  readonly limit: number;
  readonly refundLimit: number;
  readonly concurrencyLimit: number;
  readonly failureLimit: number;
  readonly repeatSeconds: number;
  /** Whether the grace before `done` passes only when the history says so. */
  readonly manualGrace: boolean;
  readonly period: "day" | "total";
}

export interface Query {
  id: string;
  readonly question: string;
  /** The client's key, or the question itself. */
  readonly key: string;
  window: string;
  state: QueryState;
  reason: RefundReason | null;
  resolvedAt: number;
  /** Whether it has a run. */
  live: boolean;
  /** Whether its generator has ended well, so that only delivery is left. */
  whole: boolean;
  onDisconnect: OnDisconnect;
  readonly readers: Set<Connection>;
  /** The number of its wait for a reconnect; undefined if it does not wait. */
  waiting: number | undefined;
  /** Whether the answer can be read again; whether the row is gone. */
  kept: boolean;
  gone: boolean;
  /** Whether its texts are deleted. */
  emptied: boolean;
}

interface Known {
  query: Query;
  replayedAt: number;
  replays: number;
}

export interface AskOptions {
  readonly question: string;
  readonly onDisconnect: OnDisconnect;
  /** The Idempotency-Key, if any. */
  readonly key: string | undefined;
  readonly streaming: boolean;
}

/** What an ask must get: a run, a stored answer, 204, or a refusal. */
export type Admission =
  | { readonly status: 200; readonly query: Query; readonly replay: boolean }
  | { readonly status: 204 }
  | { readonly status: number; readonly code: ErrorCode };

const LISTENERS_MAX = 8;
const REPLAYS_IN_A_ROW_MAX = 3;

export class Model {
  readonly settings: Settings;
  limit: number;
  refundLimit: number;
  blocked = false;
  readonly queries: Query[] = [];
  readonly keys = new Map<string, Known>();
  /**
   * What simultaneous steps leave unknown.
   * While there is any, nothing is predicted.
   */
  readonly doubts = new Set<Query | "failures">();
  /** Failures known to this instance, in their order. */
  readonly #failed: Query[] = [];
  #waits = 0;

  constructor(settings: Settings) {
    this.settings = settings;
    this.limit = settings.limit;
    this.refundLimit = settings.refundLimit;
  }

  // --- State ---

  get live(): Query[] {
    return this.queries.filter(({ live }) => live);
  }

  get running(): Query[] {
    return this.live.filter(({ whole }) => !whole);
  }

  get isCertain(): boolean {
    return this.doubts.size === 0;
  }

  window(now: number): string {
    if (this.settings.period === "total") return "total";
    const window = new Date(now).toISOString().slice(0, "2041-01-01".length);
    // A clock that goes backwards opens no earlier window.
    const windows = this.queries.map((query) => query.window);
    return [window, ...windows].sort().at(-1) as string;
  }

  count(window: string, state: QueryState): number {
    return this.#countOf((query) => query.window === window && query.state === state);
  }

  refundsCounted(window: string): number {
    return this.#countOf(
      ({ window: own, reason }) =>
        own === window &&
        (reason === "disconnected" || reason === "cancelled" || reason === "nothing_found"),
    );
  }

  remaining(now: number): number {
    const window = this.window(now);
    const used = this.count(window, "reserved") + this.count(window, "charged");
    return Math.max(0, this.limit - used);
  }

  #failures(now: number): number {
    const { length } = this.#failed.filter(
      ({ resolvedAt }, index) =>
        isWithinMinute(now, resolvedAt) &&
        // Each failure removes those that are too old by then.
        this.#failed.slice(index).every((later) => isWithinMinute(later.resolvedAt, resolvedAt)),
    );
    return length;
  }

  #countOf(right: (query: Query) => boolean): number {
    return this.queries.filter(right).length;
  }

  // --- Actions ---

  ask({ question, onDisconnect, key, streaming }: AskOptions, now: number): Admission {
    const { repeatSeconds, concurrencyLimit, failureLimit } = this.settings;
    const name = key ?? question;
    const known = this.keys.get(name);
    if (known !== undefined && (key !== undefined || repeatSeconds > 0)) {
      const { query } = known;
      if (query.question !== question) return { status: 422, code: "IDEMPOTENCY_KEY_REUSED" };
      if (query.live) return this.join(query);
      const isReplayable = query.state === "charged" || query.reason === "nothing_found";
      if (isReplayable && query.emptied && key !== undefined) {
        return { status: 410, code: "NOT_KEPT" };
      }
      if (isReplayable && query.kept) {
        const soon = now - Math.max(query.resolvedAt, known.replayedAt) <= 1_000 * repeatSeconds;
        if (soon || key !== undefined) {
          const replays = soon ? known.replays : 0;
          const enough = replays >= REPLAYS_IN_A_ROW_MAX && repeatSeconds > 0;
          known.replayedAt = now;
          known.replays = enough ? replays : replays + 1;
          return enough && streaming ? { status: 204 } : { status: 200, query, replay: true };
        }
      }
    }

    if (this.blocked) return { status: 403, code: "BLOCKED" };
    const failures = this.#failures(now);
    if (failures > 0 && failures + this.running.length >= failureLimit)
      return { status: 503, code: "UNAVAILABLE" };
    if (this.running.length >= concurrencyLimit) return { status: 429, code: "TOO_MANY_STREAMS" };
    if (this.remaining(now) === 0) return { status: 429, code: "QUOTA_EXCEEDED" };
    const query: Query = {
      id: "",
      question,
      key: name,
      window: this.window(now),
      state: "reserved",
      reason: null,
      resolvedAt: 0,
      live: true,
      whole: false,
      onDisconnect,
      readers: new Set(),
      waiting: undefined,
      kept: false,
      gone: false,
      emptied: false,
    };
    this.queries.push(query);
    this.keys.set(name, { query, replayedAt: 0, replays: 0 });
    return { status: 200, query, replay: false };
  }

  /** What a connection to a live run or a stored answer must get. */
  join(query: Query): Admission {
    if (query.live && query.readers.size >= LISTENERS_MAX) {
      return { status: 429, code: "TOO_MANY_STREAMS" };
    }
    if (!query.live && !query.kept) return { status: 410, code: "NOT_KEPT" };
    return { status: 200, query, replay: !query.live };
  }

  /** The connection is open. */
  joined(query: Query, reader: Connection): void {
    query.readers.add(reader);
    query.waiting = undefined;
    if (query.whole && !this.settings.manualGrace) this.#settle(query);
  }

  leave(reader: Connection): void {
    const query = this.live.find(({ readers }) => readers.has(reader));
    if (query === undefined) return;
    query.readers.delete(reader);
    if (query.readers.size > 0) return;
    if (query.onDisconnect === "cancel") this.#giveUp(query, "disconnected");
    else if (query.onDisconnect === "wait") query.waiting = ++this.#waits;
    else if (query.whole) this.#settle(query);
  }

  finish(query: Query): void {
    query.whole = true;
    const delivered = query.readers.size > 0 && !this.settings.manualGrace;
    const alone = query.readers.size === 0 && query.onDisconnect === "continue";
    if (delivered || alone) this.#settle(query);
  }

  fail(query: Query): void {
    this.#refund(query, "failed");
  }

  /** False if a delivery decides the outcome: the request waits for it. */
  cancel(query: Query): boolean {
    if (!query.live) return true;
    if (query.onDisconnect === "wait") query.onDisconnect = "cancel";
    if (query.whole && query.readers.size > 0) return false;
    this.#giveUp(query, "cancelled");
    return true;
  }

  refundCharge(query: Query): void {
    if (query.state !== "charged") return;
    query.state = "refunded";
    query.reason = "operator";
  }

  /** The status of the response. */
  deleteTexts(query: Query): number {
    if (query.state === "reserved") return 409;
    query.emptied = true;
    query.kept = false;
    return 204;
  }

  patch(change: { limit?: number | null; refundLimit?: number | null; blocked?: boolean }): void {
    const { limit, refundLimit, blocked } = change;
    if (limit !== undefined) this.limit = limit ?? this.settings.limit;
    if (refundLimit !== undefined) this.refundLimit = refundLimit ?? this.settings.refundLimit;
    if (blocked !== undefined) this.blocked = blocked;
  }

  passGrace(): void {
    for (const query of this.live) if (query.whole && query.readers.size > 0) this.#settle(query);
  }

  passWait(): void {
    this.passGrace();
    const waiting = this.live.filter((query) => query.waiting !== undefined);
    for (const query of waiting.sort((a, b) => (a.waiting ?? 0) - (b.waiting ?? 0))) {
      this.#giveUp(query, "disconnected");
    }
  }

  /** Long enough for every silent model to have failed. */
  passSilence(): void {
    this.passWait();
    for (const query of this.running) this.#refund(query, "failed");
  }

  /** A new instance finds reservations and refunds them at once. */
  crash(): void {
    this.#recallFailures();
    for (const query of this.live) query.live = false;
    this.sweep();
  }

  /** A new instance reads recent failures from the log. */
  #recallFailures(): void {
    const failed = this.queries.filter(
      ({ reason, resolvedAt }) => reason === "failed" && isWithinMinute(Date.now(), resolvedAt),
    );
    this.#failed.length = 0;
    this.#failed.push(...failed.sort((a, b) => a.resolvedAt - b.resolvedAt));
    this.doubts.delete("failures");
  }

  sweep(): void {
    for (const query of this.queries) {
      if (query.state === "reserved" && !query.live) this.#refund(query, "expired");
    }
  }

  erase(): void {
    this.queries.length = 0;
    this.#failed.length = 0;
    this.keys.clear();
    this.doubts.clear();
    this.patch({ limit: null, refundLimit: null, blocked: false });
  }

  #giveUp(query: Query, reason: "disconnected" | "cancelled"): void {
    if (this.refundsCounted(query.window) < this.refundLimit) {
      this.#refund(query, reason);
      return;
    }
    query.onDisconnect = "continue";
    query.readers.clear();
    query.waiting = undefined;
    if (query.whole) this.#settle(query);
  }

  /** The answer arrived: it is charged, or free if nothing was found. */
  #settle(query: Query): void {
    const isAllowed = this.refundsCounted(query.window) < this.refundLimit;
    if (isAboutNothing(query.question) && isAllowed) this.#refund(query, "nothing_found");
    else this.#resolve(query, "charged", null);
    query.kept = true;
  }

  #refund(query: Query, reason: RefundReason): void {
    this.#resolve(query, "refunded", reason);
  }

  #resolve(query: Query, state: QueryState, reason: RefundReason | null): void {
    query.state = state;
    query.reason = reason;
    query.resolvedAt = Date.now();
    query.live = false;
    query.readers.clear();
    query.waiting = undefined;
    if (reason === "failed") this.#failed.push(query);
    this.doubts.delete(query);
  }

  // --- Adopting outcomes ---

  /** Gives the newest queries their ids. */
  identify({ rows }: Snapshot): void {
    for (const query of this.queries) {
      if (query.id !== "") continue;
      const known = new Set(this.queries.map(({ id }) => id));
      const row = rows.find(
        ({ id, query: question }) => question === query.question && !known.has(id),
      );
      query.id = row?.id ?? "";
    }
  }

  /** Removes what age has removed. The invariants check that it was due. */
  forget({ rows, keys }: Snapshot): void {
    const kept = new Set(rows.filter(({ answer }) => answer !== null).map(({ id }) => id));
    const known = new Set(keys.map(({ query_id }) => query_id));
    const present = new Map(rows.map((row) => [row.id, row]));
    for (const query of this.queries) {
      query.kept &&= kept.has(query.id);
      query.gone = !present.has(query.id);
      query.emptied = present.get(query.id)?.query === null;
      query.resolvedAt = present.get(query.id)?.resolved_at ?? query.resolvedAt;
    }
    for (const [name, { query }] of this.keys) if (!known.has(query.id)) this.keys.delete(name);
  }

  /**
   * Adopts the outcome of simultaneous steps: the rows, and what can be seen
   * from outside: live runs, generators that ended, open connections.
   */
  adopt(
    snapshot: Snapshot,
    seen: {
      readonly live: ReadonlySet<string>;
      readonly isWhole: (id: string) => boolean;
      readonly readers: (id: string, question: string) => readonly Connection[];
      readonly nameOf: (question: string) => string;
      /** Whether runs were lost and failures read from the log again. */
      readonly crashed: boolean;
      /** The queries with a stop. */
      readonly cancelled: ReadonlySet<string>;
      /** Whether a failure was seen whose refund failed. */
      readonly failed: boolean;
      /** Whether the refund allowance stayed the same. */
      readonly steady: boolean;
    },
  ): void {
    const { rows, keys, transitions, limit, refundLimit, blocked } = snapshot;
    Object.assign(this, { limit, refundLimit, blocked });
    this.identify(snapshot);
    // What was resolved and deleted in one step has left no row.
    for (const { id, to, reason } of transitions) {
      const query = this.queries.find((query) => query.id === id);
      const isKept = rows.some((row) => row.id === id);
      if (query && !isKept && to !== null && to !== "reserved") this.#resolve(query, to, reason);
    }
    const unreserved = this.queries.filter(({ id }) => id === "");
    for (const query of unreserved) this.queries.splice(this.queries.indexOf(query), 1);
    const unread: Query[] = [];
    const failed: Query[] = [];
    for (const row of rows) {
      let query = this.queries.find(({ id }) => id === row.id);
      if (query === undefined) {
        const question = row.query ?? "";
        query = {
          id: row.id,
          question,
          key: seen.nameOf(question),
          window: row.window,
          state: "reserved",
          reason: null,
          resolvedAt: 0,
          live: true,
          whole: false,
          onDisconnect: row.on_disconnect,
          readers: new Set(),
          waiting: undefined,
          kept: false,
          gone: false,
          emptied: false,
        };
        this.queries.push(query);
      }
      if (row.reason === "failed" && query.reason !== "failed") failed.push(query);
      query.state = row.state;
      query.reason = row.reason;
      query.resolvedAt = row.resolved_at ?? 0;
      query.live = seen.live.has(row.id);
      query.kept = row.answer !== null;
      query.whole = query.live && seen.isWhole(row.id);
      query.readers.clear();
      if (!query.live) {
        query.waiting = undefined;
        this.doubts.delete(query);
        continue;
      }
      for (const reader of seen.readers(row.id, query.question)) query.readers.add(reader);
      if (query.readers.size > 0) query.waiting = undefined;
      else if (query.onDisconnect === "wait") unread.push(query);
      else query.onDisconnect = "continue";
      // It is unknown whether it was stopped before it was whole.
      if (row.on_disconnect === "wait" && seen.cancelled.has(row.id)) this.doubts.add(query);
    }
    for (const query of unread) {
      // Past the refund allowance it may go on alone.
      // Of several, the order of their waits is unknown.
      const alone = unread.length === 1 && this.refundsCounted(query.window) < this.refundLimit;
      if (alone && seen.steady) query.waiting ??= ++this.#waits;
      else this.doubts.add(query);
    }
    if (seen.crashed) this.#recallFailures();
    else this.#failed.push(...failed.sort((a, b) => a.resolvedAt - b.resolvedAt));
    if (seen.failed) this.doubts.add("failures");
    this.forget(snapshot);

    this.keys.clear();
    for (const { query_id, replayed_at, replays } of keys) {
      const query = this.queries.find(({ id }) => id === query_id);
      if (query === undefined) continue;
      this.keys.set(query.key, { query, replayedAt: replayed_at ?? 0, replays });
    }
  }
}

/** Whether a time is in the last minute, and not in the future. */
function isWithinMinute(now: number, time: number): boolean {
  return time <= now && now - time < 60_000;
}
