// All control flow of an ask: admission, the reservation, its run, who listens to it, and
// when the reservation becomes a charge or a refund. Nothing that it calls calls it. Its routes
// are in user-object.ts; what an answer says, in answer/.
//
// | a run is   | in #runs | transcript.ending     | listeners | waitsUntil | it costs          |
// |------------|----------|-----------------------|-----------|------------|-------------------|
// | generating | yes      | undefined             | 1 to 8    | -          | nothing yet       |
// | whole      | yes      | finished              | 1 to 8    | -          | nothing yet       |
// | waiting    | yes      | undefined or finished | 0         | set        | nothing yet       |
// | unattended | yes      | undefined             | 0         | -          | 1, once whole     |
// | charged    | no       | finished              | any       | -          | 1                 |
// | refunded   | no       | failed, or as it was  | any       | -          | 0                 |
//
// | from              | to         | moved by                                               |
// |-------------------|------------|--------------------------------------------------------|
// | -                 | generating | #start, after the reservation                          |
// | generating        | whole      | #drive; refunded if the generation fails               |
// | unattended        | charged    | #drive; refunded if it fails or found nothing          |
// | whole             | charged    | #deliver, once accepted; refunded if nothing was found |
// | generating, whole | refunded   | #disconnected, the last listener (onDisconnect cancel) |
// | generating, whole | waiting    | #disconnected (wait)                                   |
// | generating, whole | unattended | #disconnected (continue); charged if whole             |
// | waiting           | refunded   | #giveUp, when no listener came in time; #drive         |
// | waiting           | generating | #join, or whole if it was; an unattended run too       |
// | not whole         | refunded   | cancel; a whole answer is delivered instead            |
//
// Past the refund allowance #giveUp makes a run unattended. Where storage fails, a run is
// refunded. A reserved query without a run lost its instance: the sweep refunds it.

import type { Alarm } from "../alarm.ts";
import { begin, type Progress } from "../answer/pipeline.ts";
import type { UserConfig } from "../config.ts";
import { ServiceError, toServiceError, traceOf } from "../errors.ts";
import type { Finish, RefundReason } from "../protocol.ts";
import { type AdapterParts, adaptersFor } from "./adapters.ts";
import type { Borrower } from "./borrower.ts";
import { Failures, WITHIN_MS } from "./failures.ts";
import { type AskKey, askKey, type KeyRow } from "./keys.ts";
import { Listener } from "./listener.ts";
import type { Outage } from "./outage.ts";
import type { Payment } from "./payment.ts";
import type { QueryRow } from "./queries.ts";
import { type Quota, remaining } from "./quota.ts";
import { storedAnswer } from "./receipt.ts";
import * as refusals from "./refusals.ts";
import type { Reservations } from "./reservations.ts";
import { Run } from "./run.ts";
import { LISTENERS_MAX, Runs } from "./runs.ts";
import { isReached } from "./sharing.ts";
import { type AskRequest, type Subscriber, Subscription } from "./subscription.ts";
import type { Tables } from "./tables.ts";
import type { Ending, WholeEnding } from "./transcript.ts";

/**
 * A write resolves before its bytes reach the socket. Wait this long (ms) before charging,
 * so that a crash cannot bill an answer that never left the process.
 */
const FLUSH_MS = 5;

/** What an ask finds that was asked before: its run, its stored answer, or too many replays. */
type Earlier =
  | { readonly type: "live"; readonly run: Run }
  | { readonly type: "stored"; readonly row: QueryRow }
  | { readonly type: "enough"; readonly queryId: string };

export interface AsksParts extends AdapterParts {
  readonly ctx: DurableObjectState;
  readonly tables: Tables;
  readonly quota: Quota;
  readonly reservations: Reservations;
  readonly alarm: Alarm;
  readonly outage: Outage;
  readonly borrower: Borrower;
  config(): UserConfig;
}

export class Asks {
  readonly #runs: Runs;
  readonly #parts: AsksParts;
  readonly #tables: Tables;
  readonly #quota: Quota;
  readonly #reservations: Reservations;

  constructor(parts: AsksParts) {
    this.#parts = parts;
    this.#tables = parts.tables;
    this.#quota = parts.quota;
    this.#reservations = parts.reservations;
    const { exist, queries } = parts.tables;
    const failures = exist ? queries.failedAfter(Date.now() - WITHIN_MS) : [];
    this.#runs = new Runs(new Failures(failures));
  }

  get runs(): ReadonlyMap<string, Run> {
    return this.#runs;
  }

  // --- One ask ---

  async ask(request: AskRequest): Promise<Response> {
    const key = await askKey(request.ask, request.idempotencyKey, request.identity);
    await this.#makeRoom(key, request.identity);
    const payment = await this.#parts.borrower.pay(request, () => this.#isFree(key));
    try {
      // Nothing is awaited from here until the listener listens. A first ask makes
      // the tables in one write with its reservation.
      this.#tables.create(request.userName);
      const earlier = this.#earlier(key, request);
      switch (earlier?.type) {
        case "live":
          return this.#join(earlier.run, request);
        case "enough":
          return new Response(null, { status: 204, headers: this.#headers(earlier.queryId) });
        case "stored":
          return this.#replay(earlier.row, request);
        case undefined:
          return this.#join(this.#start(request, key, payment), request);
      }
    } finally {
      payment.release();
    }
  }

  /** Undefined for a new ask, or one that was refunded. Counts a replay. */
  #earlier(key: AskKey, { identity, retriesByItself, again }: AskRequest): Earlier | undefined {
    const { repeatWindowMs } = this.#parts.config();
    const known = this.#latestOf(key);
    if (known === undefined) return undefined;
    const run = this.#runs.get(known.query_id);
    if (run !== undefined) return { type: "live", run };
    if (again && !key.chosen) return undefined;
    const row = storedAnswer(this.#tables.queries.get(known.query_id), key);
    if (row === undefined) return undefined;
    // A replay that is refused must not count as one that was served.
    this.#runs.admitReplay(identity);
    const { keys } = this.#tables;
    switch (keys.serve(key, known, row.resolved_at ?? 0, Date.now(), repeatWindowMs)) {
      case "replay":
        return { type: "stored", row };
      case "enough":
        return retriesByItself ? { type: "enough", queryId: row.id } : { type: "stored", row };
      case "late":
        return undefined;
    }
  }

  /** The last query under the key. A key that is not the client's counts only for repeats. */
  #latestOf(key: AskKey): KeyRow | undefined {
    const isLookedFor = key.chosen || this.#parts.config().repeatWindowMs > 0;
    return isLookedFor ? this.#tables.keys.get(key) : undefined;
  }

  /** Admits an ask, reserves, and starts its run: all in one synchronous block. */
  #start({ ask, identity, previous, receivedAt }: AskRequest, key: AskKey, payment: Payment): Run {
    const admitMs = Math.round(performance.now() - receivedAt);
    const config = this.#parts.config();
    // Built first: a wrong variable must refuse before anything is reserved.
    const adapters = adaptersFor(ask, payment, this.#parts);
    const now = Date.now();
    if (this.#tables.settings.get().blocked === 1) throw refusals.blocked();
    this.#runs.admit(config, identity, now);
    const { window, room, limit, counters } = this.#quota.status(now);
    if (remaining(limit, counters) === 0) throw this.#quota.exceeded(now);
    if (payment.refusal !== undefined) throw payment.refusal;
    const abort = new AbortController();
    // Before the write: what is sent after it waits for the disk.
    const goOn = begin(ask, adapters, abort.signal);
    const query = { ask, key, identity, previous, window, payment, askedAt: now };
    const queryId = this.#reservations.make(query, room);
    if (queryId === undefined) throw this.#quota.exceeded(now);
    this.#parts.alarm.set(now + config.sweepIntervalMs);

    const run = new Run({ ...query, queryId, admitMs }, config, abort);
    this.#runs.set(queryId, run);
    this.#parts.ctx.waitUntil(this.#drive(run, goOn));
    return run;
  }

  /** A repeat, and an ask that is refused anyway, take nothing from the budget. */
  #isFree(key: AskKey): boolean {
    const isLive = this.#runs.has(this.#latestOf(key)?.query_id ?? "");
    return isLive || this.#quota.remaining(Date.now()) === 0;
  }

  /** Nudges where listeners would make the ask be refused: some may be disconnected. */
  async #makeRoom(key: AskKey, identity: string | null): Promise<void> {
    if (this.#runs.size === 0) return;
    const run = this.#runs.get(this.#latestOf(key)?.query_id ?? "");
    const { concurrencyLimit } = this.#parts.config();
    const isFull = () =>
      run === undefined
        ? isReached(concurrencyLimit, this.#runs.countUnfinished(identity))
        : run.listeners.size >= LISTENERS_MAX;
    if (isFull()) await this.#runs.nudge(isFull);
  }

  /** Follows a run to its end. A failure is refunded before a listener is told. */
  async #drive(run: Run, goOn: (progress: Progress) => Promise<Finish>): Promise<void> {
    const ending = await run.generate(goOn);
    if (run.transcript.ending !== undefined) return; // Refunded in between.
    if (ending.type === "failed") {
      const { code, message, cause, details } = ending.error;
      const why = [details.diagnosis ?? "", traceOf(cause)].filter((words) => words !== "");
      console.error(`Query ${run.queryId} failed: ${code}: ${message}`, why.join("\n"));
      this.#refund(run, "failed", ending.error);
      return;
    }
    run.transcript.end(ending);
    this.#chargeUnattended(run);
  }

  // --- Listening ---

  /** Subscribes to a query's events. Throws NOT_FOUND, NOT_KEPT, TOO_MANY_STREAMS. */
  async resume(id: string, subscriber: Subscriber): Promise<Response> {
    const isFull = () => (this.#runs.get(id)?.listeners.size ?? 0) >= LISTENERS_MAX;
    if (isFull()) await this.#runs.nudge(isFull);
    const run = this.#runs.get(id);
    if (run !== undefined) return this.#join(run, subscriber);
    const row = this.#tables.query(id);
    // The user may have been erased in between.
    if (row === undefined) throw refusals.noQuery();
    if (row.answer === null) throw refusals.notKept();
    return this.#replay(row, subscriber);
  }

  /** The response to a HEAD: what `resume` answers, without body and listener. */
  head(row: QueryRow, subscriber: Pick<Subscriber, "format" | "after">): Response {
    const run = this.#runs.get(row.id);
    if (run === undefined && row.answer === null) throw refusals.notKept();
    const { headers } = run
      ? Subscription.toRun(run, subscriber)
      : Subscription.toStored(row, subscriber);
    return new Response(null, { headers: { ...headers, ...this.#headers(row.id) } });
  }

  /** Attaches a listener to a run. */
  #join(run: Run, subscriber: Subscriber): Promise<Response> {
    if (run.listeners.size >= LISTENERS_MAX) throw refusals.tooManyListeners(LISTENERS_MAX);
    const listener = new Listener(subscriber, this.#parts.config());
    run.stopWaiting();
    run.listeners.add(listener);
    listener.onDisconnect = () => this.#disconnected(run, listener);
    if (listener.isDisconnected) this.#disconnected(run, listener);
    return this.#listen(Subscription.toRun(run, subscriber), listener);
  }

  /** Sends a stored answer, which costs nothing. */
  #replay(row: QueryRow, subscriber: Subscriber): Promise<Response> {
    this.#runs.admitReplay(subscriber.identity);
    const listener = new Listener(subscriber, this.#parts.config());
    this.#runs.replays.set(listener, subscriber.identity);
    return this.#listen(Subscription.toStored(row, subscriber), listener);
  }

  /** A listener's response: a stream's at once, any other when its status is known. */
  async #listen(subscription: Subscription, listener: Listener): Promise<Response> {
    try {
      if (!subscription.format.streams) {
        const ending = await listener.wait(subscription.transcript);
        if (ending?.type === "failed") throw this.#failure(subscription.head.queryId, ending.error);
      }
      const headers = this.#headersOf(subscription);
      this.#parts.ctx.waitUntil(this.#deliver(subscription, listener));
      return new Response(listener.body, { headers });
    } catch (thrown) {
      this.#release(subscription, listener);
      throw thrown;
    }
  }

  /** If storage cannot say them, nothing is sent, and nothing is charged. */
  #headersOf({ head, headers, run }: Subscription): Record<string, string> {
    try {
      return { ...headers, ...this.#headers(head.queryId) };
    } catch (thrown) {
      const error = toServiceError(thrown);
      if (run !== undefined) this.#refund(run, "failed", error);
      throw error;
    }
  }

  /** Writes an answer to one listener, and charges once the last write was accepted. */
  async #deliver(subscription: Subscription, listener: Listener): Promise<void> {
    const { head, format, transcript, run } = subscription;
    try {
      const ending = format.streams
        ? await listener.follow(subscription, this.#quota.remaining(Date.now()))
        : transcript.ending;
      if (ending === undefined || listener.isDisconnected) return;
      // A stored answer was paid for: a disconnect makes no difference.
      if (ending.type === "finished" && run !== undefined) {
        await listener.probe(subscription.heartbeat);
      }
      const last = listener.termination ?? ending;
      if (last.type === "failed") {
        await listener.end(subscription.error(this.#failure(head.queryId, last.error).body));
        return;
      }
      const remaining = this.#quota.remaining(Date.now(), this.#freedBy(run, last));
      const closing = subscription.closing(last, remaining);
      const accepted = await listener.end(closing, run === undefined ? 0 : FLUSH_MS);
      // After the last write: a crash in between gives the answer away free.
      if (accepted && run !== undefined) this.#settle(run, last);
    } catch (thrown) {
      const error = toServiceError(thrown);
      if (run !== undefined) this.#refund(run, "failed", error);
      await listener.end(subscription.error({ ...error.body, queryId: head.queryId }));
    } finally {
      this.#release(subscription, listener);
    }
  }

  #release({ run }: Subscription, listener: Listener): void {
    this.#runs.replays.delete(listener);
    run?.listeners.delete(listener);
    listener.abandon();
  }

  /** After the last listener, the ask's own `onDisconnect` decides. */
  #disconnected(run: Run, listener: Listener): void {
    run.listeners.delete(listener);
    if (run.listeners.size > 0 || !this.#runs.has(run.queryId)) return;
    switch (run.onDisconnect) {
      case "cancel":
        this.#giveUp(run, "disconnected");
        break;
      case "wait":
        run.waitForListener(this.#parts.config().resumeWaitMs, () =>
          this.#giveUp(run, "disconnected"),
        );
        break;
      case "continue":
        this.#chargeUnattended(run);
        break;
    }
  }

  /** Stops a run for its user. A whole answer is delivered first. */
  async cancel(queryId: string): Promise<void> {
    const run = this.#runs.get(queryId);
    if (run === undefined) return;
    // After a cancel no reconnect is awaited.
    if (run.onDisconnect === "wait") run.onDisconnect = "cancel";
    // Once it is whole, its delivery decides, if there is a listener.
    if (run.transcript.ending !== undefined && run.listeners.size > 0) await run.resolved.promise;
    else this.#giveUp(run, "cancelled");
  }

  /**
   * The answer is not wanted any more: it is stopped and refunded. Past the refund
   * allowance it is finished, charged and kept: otherwise a client that reads everything
   * and disconnects before `done` would read for free.
   */
  #giveUp(run: Run, reason: "disconnected" | "cancelled"): void {
    if (this.#quota.allowsRefund(run)) {
      this.#refund(run, reason, refusals.stopped());
      return;
    }
    run.onDisconnect = "continue";
    const ending: Ending = { type: "failed", error: refusals.finishedWithoutYou() };
    for (const listener of run.listeners) listener.terminate(ending);
    run.listeners.clear();
    this.#chargeUnattended(run);
  }

  /** Charges a whole answer without listeners that was to continue. */
  #chargeUnattended(run: Run): void {
    const { ending } = run.transcript;
    if (run.onDisconnect !== "continue" || run.listeners.size > 0) return;
    if (ending?.type === "finished") this.#settle(run, ending);
  }

  // --- Resolving ---

  /** 1 if a run's ending is refunded: nothing was found, and the allowance is not used up. */
  #freedBy(run: Run | undefined, ending: Ending | undefined): 0 | 1 {
    if (run === undefined || ending?.type !== "finished" || ending.found) return 0;
    return !this.#parts.config().chargeNothingFound && this.#quota.allowsRefund(run) ? 1 : 0;
  }

  /** The answer arrived: stores it, and charges or refunds it. */
  #settle(run: Run, ending: WholeEnding): void {
    const { queryId, transcript, spent } = run;
    const stored = { ...ending, ...spent, tokens: transcript.tokens, sources: transcript.sources };
    if (this.#freedBy(run, ending) === 1) {
      this.#resolve(run, "refunded", () => this.#reservations.refundNothingFound(queryId, stored));
    } else this.#resolve(run, "charged", () => this.#reservations.charge(queryId, stored));
    // Its other listeners read a stored answer from now on.
    for (const listener of run.listeners) this.#runs.replays.set(listener, run.identity);
  }

  /** Refunds the reservation, stops the model, and ends a transcript that is open. */
  #refund(run: Run, reason: RefundReason, error: ServiceError): void {
    run.abort();
    if (reason === "failed" && this.#runs.has(run.queryId)) {
      this.#runs.failures.add({ at: Date.now(), identity: run.identity });
    }
    const facts = { code: error.code, tokens: run.transcript.tokens.length, ...run.spent };
    this.#resolve(run, "refunded", () => this.#reservations.refund(run.queryId, reason, facts));
    run.transcript.end({ type: "failed", error });
  }

  /** The one way in which a run resolves its reservation; the first caller wins. */
  #resolve(run: Run, state: "charged" | "refunded", write: () => void): void {
    // Removed in any case: if the write fails, the sweep refunds it.
    if (!this.#runs.delete(run.queryId)) return;
    run.stopWaiting();
    try {
      // A write that fails would reset the object, and cut the other runs off.
      if (this.#parts.outage.isOn) throw refusals.storageOut();
      write();
    } catch (thrown) {
      console.error(`Query ${run.queryId} was not ${state}; the sweep refunds it.`, thrown);
    }
    run.resolved.resolve();
  }

  /** Ends every run and every listener of an erased user. Nothing is written. */
  end(): void {
    const error = refusals.erased();
    for (const run of this.#runs.values()) {
      run.abort();
      run.stopWaiting();
      run.transcript.end({ type: "failed", error });
      run.resolved.resolve();
    }
    for (const listener of this.#runs.allListeners) listener.terminate({ type: "failed", error });
    this.#runs.clear();
    this.#runs.failures.clear();
  }

  // --- Shared ---

  #headers(queryId: string): Record<string, string> {
    const now = Date.now();
    const budget = this.#parts.borrower.shown(now);
    return { "x-query-id": queryId, ...this.#quota.headers(now, budget) };
  }

  /** A run's error with the query, and the quota after the refund. */
  #failure(queryId: string, error: ServiceError): ServiceError {
    const { exist } = this.#tables;
    return new ServiceError(error.code, error.message, {
      body: { queryId, ...(exist && { quotaRemaining: this.#quota.remaining(Date.now()) }) },
      headers: { ...error.details.headers, ...(exist && this.#headers(queryId)) },
    });
  }
}
