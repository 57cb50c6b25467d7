// The plain model: what a user's queries must come to, step by step, where the promise determines it.
// After steps that happen at once, whose order nobody knows, it takes over what came of them.

import type { ErrorCode, OnDisconnect, QueryState, RefundReason } from "../../src/protocol.ts";
import type { Connection } from "./connection.ts";
import type { Snapshot } from "./journal.ts";

export interface Settings {
  readonly limit: number;
  readonly refundLimit: number;
  readonly concurrencyLimit: number;
  readonly failureLimit: number;
  readonly repeatSeconds: number;
  /** Whether the hold before `done` passes only when the history says so. */
  readonly holds: boolean;
  readonly period: "day" | "total";
}

export interface Query {
  id: string;
  readonly question: string;
  /** What it is known by: the key that the client chose, or the question itself. */
  readonly key: string;
  window: string;
  state: QueryState;
  reason: RefundReason | null;
  resolvedAt: number;
  /** Whether a run stands behind it. */
  live: boolean;
  /** Whether its generator has ended well, so that it is only to be delivered. */
  whole: boolean;
  onDisconnect: OnDisconnect;
  readonly readers: Set<Connection>;
  /** Which of the waits for somebody to come back this is; undefined where there is none. */
  waiting: number | undefined;
  /** Whether the answer can be read again, and whether the row is gone. */
  kept: boolean;
  gone: boolean;
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
  /** What cannot be told from outside after steps at once; while there is any, nothing is predicted. */
  readonly doubts = new Set<Query | "failures">();
  /** What failed in this incarnation, in the order in which it did. */
  readonly #failed: Query[] = [];
  #waits = 0;

  constructor(settings: Settings) {
    this.settings = settings;
    this.limit = settings.limit;
    this.refundLimit = settings.refundLimit;
  }

  // --- What is ---

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
    // A clock that goes backwards opens no window again.
    const windows = this.queries.map((query) => query.window);
    return [window, ...windows].sort().at(-1) as string;
  }

  count(window: string, state: QueryState): number {
    return this.#countOf((query) => query.window === window && query.state === state);
  }

  left(window: string): number {
    return this.#countOf(
      ({ window: own, reason }) =>
        own === window && (reason === "disconnected" || reason === "cancelled"),
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
        // Each failure makes those forgotten that are too old by then.
        this.#failed.slice(index).every((later) => isWithinMinute(later.resolvedAt, resolvedAt)),
    );
    return length;
  }

  #countOf(right: (query: Query) => boolean): number {
    return this.queries.filter(right).length;
  }

  // --- What is done ---

  ask({ question, onDisconnect, key, streaming }: AskOptions, now: number): Admission {
    const { repeatSeconds, concurrencyLimit, failureLimit } = this.settings;
    const name = key ?? question;
    const known = this.keys.get(name);
    if (known !== undefined && (key !== undefined || repeatSeconds > 0)) {
      const { query } = known;
      if (query.question !== question) return { status: 422, code: "IDEMPOTENCY_KEY_REUSED" };
      if (query.live) return this.join(query);
      if (query.state === "charged" && query.kept) {
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
    };
    this.queries.push(query);
    this.keys.set(name, { query, replayedAt: 0, replays: 0 });
    return { status: 200, query, replay: false };
  }

  /** What a reader of a live run, or of a stored answer, must get. */
  join(query: Query): Admission {
    if (query.live && query.readers.size >= LISTENERS_MAX) {
      return { status: 429, code: "TOO_MANY_STREAMS" };
    }
    if (!query.live && !query.kept) return { status: 410, code: "NOT_KEPT" };
    return { status: 200, query, replay: !query.live };
  }

  /** The reader is there. */
  joined(query: Query, reader: Connection): void {
    query.readers.add(reader);
    query.waiting = undefined;
    if (query.whole && !this.settings.holds) this.#charge(query);
  }

  leave(reader: Connection): void {
    const query = this.live.find(({ readers }) => readers.has(reader));
    if (query === undefined) return;
    query.readers.delete(reader);
    if (query.readers.size > 0) return;
    if (query.onDisconnect === "cancel") this.#giveUp(query, "disconnected");
    else if (query.onDisconnect === "wait") query.waiting = ++this.#waits;
    else if (query.whole) this.#charge(query);
  }

  finish(query: Query): void {
    query.whole = true;
    const delivered = query.readers.size > 0 && !this.settings.holds;
    const alone = query.readers.size === 0 && query.onDisconnect === "continue";
    if (delivered || alone) this.#charge(query);
  }

  fail(query: Query): void {
    this.#refund(query, "failed");
  }

  /** False where the outcome is a delivery away, and the request waits for it. */
  cancel(query: Query): boolean {
    if (!query.live) return true;
    if (query.onDisconnect === "wait") query.onDisconnect = "cancel";
    if (query.whole && query.readers.size > 0) return false;
    this.#giveUp(query, "cancelled");
    return true;
  }

  takeBack(query: Query): void {
    if (query.state !== "charged") return;
    query.state = "refunded";
    query.reason = "operator";
  }

  patch(change: { limit?: number | null; refundLimit?: number | null; blocked?: boolean }): void {
    const { limit, refundLimit, blocked } = change;
    if (limit !== undefined) this.limit = limit ?? this.settings.limit;
    if (refundLimit !== undefined) this.refundLimit = refundLimit ?? this.settings.refundLimit;
    if (blocked !== undefined) this.blocked = blocked;
  }

  passHold(): void {
    for (const query of this.live) if (query.whole && query.readers.size > 0) this.#charge(query);
  }

  passWait(): void {
    this.passHold();
    const waiting = this.live.filter((query) => query.waiting !== undefined);
    for (const query of waiting.sort((a, b) => (a.waiting ?? 0) - (b.waiting ?? 0))) {
      this.#giveUp(query, "disconnected");
    }
  }

  /** So long that every model that says nothing has failed. */
  passSilence(): void {
    this.passWait();
    for (const query of this.running) this.#refund(query, "failed");
  }

  /** A new incarnation finds what is reserved, and refunds it at once. */
  crash(): void {
    this.#recallFailures();
    for (const query of this.live) query.live = false;
    this.sweep();
  }

  /** A new incarnation finds in the log which runs failed. */
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
    if (this.left(query.window) < this.refundLimit) {
      this.#refund(query, reason);
      return;
    }
    query.onDisconnect = "continue";
    query.readers.clear();
    query.waiting = undefined;
    if (query.whole) this.#charge(query);
  }

  #charge(query: Query): void {
    this.#resolve(query, "charged", null);
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

  // --- What is taken over ---

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

  /** What age has taken away. That it was due is for the invariants to check. */
  forget({ rows, keys }: Snapshot): void {
    const kept = new Set(rows.filter(({ answer }) => answer !== null).map(({ id }) => id));
    const known = new Set(keys.map(({ query_id }) => query_id));
    const present = new Map(rows.map((row) => [row.id, row]));
    for (const query of this.queries) {
      query.kept &&= kept.has(query.id);
      query.gone = !present.has(query.id);
      query.resolvedAt = present.get(query.id)?.resolved_at ?? query.resolvedAt;
    }
    for (const [name, { query }] of this.keys) if (!known.has(query.id)) this.keys.delete(name);
  }

  /**
   * What came of steps at once: the rows, and beside them what can be seen from outside, namely which
   * runs are live, whose generator has ended, and who reads.
   */
  adopt(
    snapshot: Snapshot,
    seen: {
      readonly live: ReadonlySet<string>;
      readonly isWhole: (id: string) => boolean;
      readonly readers: (id: string, question: string) => readonly Connection[];
      readonly nameOf: (question: string) => string;
      /** Whether runs were lost, and what was known of failures was read from the log again. */
      readonly crashed: boolean;
      /** What was asked to stop. */
      readonly cancelled: ReadonlySet<string>;
      /** Whether a failure was seen whose refund went wrong. */
      readonly failed: boolean;
      /** Whether the refund allowance is the same all the time. */
      readonly steady: boolean;
    },
  ): void {
    const { rows, keys, transitions, limit, refundLimit, blocked } = snapshot;
    Object.assign(this, { limit, refundLimit, blocked });
    this.identify(snapshot);
    // What was resolved and let go of in one step has left no row.
    for (const { id, to, reason } of transitions) {
      const query = this.queries.find((query) => query.id === id);
      const isKept = rows.some((row) => row.id === id);
      if (query && !isKept && to !== null && to !== "reserved") this.#resolve(query, to, reason);
    }
    const phantoms = this.queries.filter(({ id }) => id === "");
    for (const query of phantoms) this.queries.splice(this.queries.indexOf(query), 1);
    const strayed: Query[] = [];
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
      else if (query.onDisconnect === "wait") strayed.push(query);
      else query.onDisconnect = "continue";
      // Whether it was cancelled before it was whole, nobody knows.
      if (row.on_disconnect === "wait" && seen.cancelled.has(row.id)) this.doubts.add(query);
    }
    for (const query of strayed) {
      // Past the refund allowance it may go on alone. Of several, nobody knows who waits longest.
      const alone = strayed.length === 1 && this.left(query.window) < this.refundLimit;
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

/** Whether a time is not ahead of the clock, and less than a minute behind it. */
function isWithinMinute(now: number, time: number): boolean {
  return time <= now && now - time < 60_000;
}
