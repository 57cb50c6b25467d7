// UserObject: one per user, and all control flow of an ask: who is let in, when a reservation becomes
// a charge or a refund, what is swept. It opens every transaction; what it calls are leaves. Who the
// caller is was decided in edge/; what the answer says is decided in answer/.

import { DurableObject } from "cloudflare:workers";
import { type IRequest, Router } from "itty-router";
import { Alarm } from "../alarm.ts";
import type { Generator } from "../answer/generator.ts";
import { answer } from "../answer/pipeline.ts";
import type { Retriever } from "../answer/retriever.ts";
import { type UserConfig, userConfig, type Variables } from "../config.ts";
import { errorResponse, ServiceError, toServiceError, traceOf } from "../errors.ts";
import {
  API_PREFIX,
  type Ask,
  type ErrorCode,
  encodeJson,
  type Finish,
  type RefundReason,
} from "../protocol.ts";
import { decodeParameter, readJson, wholeParameter, wrongParameter } from "../request.ts";
import { json } from "../response.ts";
import { BODY_BYTES_MAX, parseAsk, parseFeedback, parseSettingsChange } from "./ask.ts";
import { type Failure, Failures, WITHIN_MS } from "./failures.ts";
import { inspect, shownReceipt } from "./inspect.ts";
import { type AskKey, askKey, KEYS_SCHEMA, type KeyRow, Keys } from "./keys.ts";
import { LEDGER_SCHEMA, Ledger } from "./ledger.ts";
import { holdMs, Listener } from "./listener.ts";
import { isWithin, Outage } from "./outage.ts";
import { QUERIES_SCHEMA, Queries, type QueryRow, receipt } from "./queries.ts";
import { Quota } from "./quota.ts";
import {
  beatOf,
  closing,
  closingError,
  cursorOf,
  opening,
  type Reading,
  type ReadingMode,
  readingHeaders,
} from "./reading.ts";
import {
  blocked,
  erased,
  finishedWithoutYou,
  nobody,
  noQuery,
  notKept,
  stopped,
  storageOut,
  tooManyFailures,
  tooManyListeners,
  tooManyReplays,
  tooManyRuns,
} from "./refusals.ts";
import { Retention } from "./retention.ts";
import { Run } from "./run.ts";
import { SETTINGS_SCHEMA, Settings } from "./settings.ts";
import { count, isReached } from "./sharing.ts";
import { type Ending, Transcript } from "./transcript.ts";

/**
 * How the edge tells the object whose it is, percent-encoded, which of those who share it is asking, if
 * they do, and the client's round trip in ms.
 */
export const USER_HEADER = "x-belay-user";
export const IDENTITY_HEADER = "x-belay-identity";
export const ROUND_TRIP_HEADER = "x-belay-round-trip-ms";

/** When a sweep failed, it is tried again after this time, whatever the variables say. */
const SWEEP_RETRY_MS = 30_000;
/** How old a check of storage may be for an alarm, in milliseconds. */
const CHECK_AGE_MAX_MS = 10_000;
/** How long listeners are left alone after a nudge, in milliseconds, so that asking again makes no work. */
const NUDGE_AGAIN_MS = 1_000;
/** Connections that may read one run; of one reader, those that may read stored answers. */
const LISTENERS_MAX = 8;
const REPLAY_LISTENERS_MAX = 32;
/**
 * What a connection has accepted is still on its way through this process to the socket: a crash right
 * after the charge would charge for what never left. The charge waits for so long, in ms.
 */
const FLUSH_MS = 5;
/** Runs of one reader beyond CONCURRENCY_LIMIT whose answer is whole, and waits to be taken by a slow reader. */
const RUNS_HELD_MAX = 32;

/** What an ask that is known already finds: its run, its stored answer, or that it came too often. */
type Earlier =
  | { readonly type: "live"; readonly run: Run }
  | { readonly type: "stored"; readonly row: QueryRow }
  | { readonly type: "enough"; readonly queryId: string };

/** How a query ended, for the log: never what was said. */
interface Outcome {
  readonly state: "charged" | "refunded";
  readonly reason?: RefundReason;
  readonly code?: ErrorCode;
  readonly finish?: Finish;
  readonly tokens?: number;
  readonly firstTokenMs?: number | null;
  readonly totalMs?: number;
}

/** What the object is given: see wiring.ts. The first two throw UNAVAILABLE if a variable is wrong. */
export interface UserParts {
  retriever(): Retriever;
  generator(): Generator;
  storageProbe(): { tryWrite(maxAgeMs: number): Promise<void> };
}

export class UserObject extends DurableObject<Variables> {
  readonly #parts: UserParts;
  readonly #settings: Settings;
  readonly #ledger: Ledger;
  readonly #queries: Queries;
  readonly #keys: Keys;
  readonly #quota: Quota;
  readonly #retention: Retention;
  /** The runs of this incarnation whose query is still reserved. */
  readonly #runs = new Map<string, Run>();
  readonly #failures: Failures;
  /** The connections that read stored answers, with the identity of each reader. */
  readonly #replays = new Map<Listener, string | null>();
  /** Set while the listeners are nudged, and when they were last. */
  #nudging: Promise<void> | undefined;
  #nudgedAt = Number.NEGATIVE_INFINITY;
  /** Whether there are tables: none are made for a user whom nobody knows. */
  #known: boolean;
  readonly #alarm: Alarm;
  readonly #outage: Outage;
  /** When storage last took a write that was only tried, in milliseconds since the epoch. */
  #triedAt = 0;
  #config: UserConfig | undefined;

  readonly #router = Router<IRequest, []>({ base: API_PREFIX })
    // What an operator does to a user whom nobody knows creates nothing, but for a setting.
    .all("/ai/*", (request) => this.#open(request))
    .post("/ai/ask", (request) => this.#ask(request))
    .get("/ai/quota", (request) => json(this.#quota.body(Date.now(), identityOf(request))))
    .get("/ai/queries", (request) => this.#list(request))
    .get("/ai/queries/:id", (request) => json(receipt(this.#findOwn(request))))
    .get("/ai/queries/:id/events", (request) => this.#resume(request))
    .head("/ai/queries/:id/events", (request) => this.#peek(request))
    .post("/ai/queries/:id/cancel", (request) => this.#cancel(request))
    .post("/ai/feedback", (request) => this.#feedback(request))
    .get("/admin/users/:userId", () => this.#inspect())
    .patch("/admin/users/:userId", (request) => this.#change(request))
    .delete("/admin/users/:userId", () => this.#erase())
    .post("/admin/users/:userId/queries/:id/refund", ({ params }) => this.#takeBack(idOf(params)));

  constructor(ctx: DurableObjectState, env: Variables, parts: UserParts) {
    super(ctx, env);
    this.#parts = parts;
    const { sql } = ctx.storage;
    this.#alarm = new Alarm(ctx.storage);
    this.#outage = new Outage((maxAgeMs) => parts.storageProbe().tryWrite(maxAgeMs));
    this.#settings = new Settings(sql);
    this.#ledger = new Ledger(sql);
    this.#queries = new Queries(sql);
    this.#keys = new Keys(sql);
    this.#quota = new Quota(() => this.#variables(), this.#settings, this.#ledger, this.#queries);
    this.#retention = new Retention(this.#settings, this.#ledger, this.#queries, this.#keys);
    this.#known =
      sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'settings'").toArray().length > 0;
    if (this.#known) {
      this.#ledger.upgrade();
      this.#queries.upgrade();
    }
    this.#failures = new Failures(this.#failedLately());
    ctx.blockConcurrencyWhile(() => this.#wake());
  }

  async #wake(): Promise<void> {
    // An ask must not put off the alarm that an earlier incarnation has set.
    await this.#alarm.recall();
    // What is reserved now was left by an incarnation that is gone, maybe because a write failed. Another
    // failed write would make this one unreadable too.
    if (!this.#known || this.#ledger.reserved() === 0 || (await this.#outage.check(0))) return;
    this.#tend(() => this.#sweep());
  }

  /**
   * Writes something and removes it, unless that succeeded within the last `maxAgeMs`. If storage takes no
   * writes it throws, and this object is reset: call it only on `storageProbe`.
   */
  async tryWrite(maxAgeMs: number): Promise<void> {
    const { storage } = this.ctx;
    if (isWithin(this.#triedAt, maxAgeMs)) return;
    await storage.put("tried", true);
    await storage.sync();
    // The next one has to find room for a new file, as a new user has.
    await storage.deleteAll();
    this.#triedAt = Date.now();
  }

  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    try {
      await this.#refuseInOutage(request.method, url.pathname);
      return await this.#router.fetch(request);
    } catch (thrown) {
      return errorResponse(toServiceError(thrown), url.searchParams.get("stream") === "true");
    }
  }

  override async alarm(): Promise<void> {
    this.#alarm.clear();
    await this.#outage.end(CHECK_AGE_MAX_MS);
    this.#tend(() => this.#sweep());
    this.#tend(() => this.#prune());
  }

  /**
   * Refuses requests that write while storage takes no writes. Reading goes on. So does stopping, whose
   * refund is left to the sweep, and erasing, which makes room.
   */
  async #refuseInOutage(method: string, path: string): Promise<void> {
    if (!this.#outage.isOn || !/^(POST|PATCH)$/.test(method) || path.endsWith("/cancel")) return;
    if (await this.#outage.check(0)) throw storageOut();
    this.#tend(() => this.#sweep());
  }

  // --- One ask ---

  async #ask(request: Request): Promise<Response> {
    const receivedAt = performance.now();
    const stream = new URL(request.url).searchParams.get("stream") ?? "false";
    if (!/^(true|false)$/.test(stream)) throw wrongParameter("stream", "true or false");
    const streaming = stream === "true";
    const ask = parseAsk(await this.#body(request));
    const identity = identityOf(request);
    const key = await askKey(ask, request.headers.get("idempotency-key"), identity);
    await this.#makeRoom(key, identity);
    // The user may have been erased meanwhile.
    this.#open(request);
    // Nothing is awaited from here until the listener listens.
    const how = { after: 0, streaming };
    const earlier = this.#earlier(key, identity, asksByItself(request));
    switch (earlier?.type) {
      case "live":
        return this.#join(earlier.run, request, how);
      case "enough":
        return new Response(null, { status: 204, headers: this.#headers(earlier.queryId) });
      case "stored":
        return this.#replay(earlier.row, request, how);
      case undefined: {
        const admitMs = Math.round(performance.now() - receivedAt);
        return this.#join(this.#start(ask, key, identity, admitMs), request, how);
      }
    }
  }

  /** Undefined if the ask is a new one, which it is after a refund too. A replay is counted here. */
  #earlier(key: AskKey, identity: string | null, byItself: boolean): Earlier | undefined {
    const { repeatWindowMs } = this.#variables();
    const known = this.#latestOf(key);
    if (known === undefined) return undefined;
    const run = this.#runs.get(known.query_id);
    if (run !== undefined) return { type: "live", run };
    const row = this.#queries.get(known.query_id);
    if (row?.state !== "charged" || row.answer === null) return undefined;
    // A replay that is refused must not count as one that was served.
    this.#admitReplay(identity);
    const served = this.#keys.serve(key, known, row.resolved_at ?? 0, Date.now(), repeatWindowMs);
    switch (served) {
      case "replay":
        return { type: "stored", row };
      case "enough":
        return byItself ? { type: "enough", queryId: row.id } : { type: "stored", row };
      case "late":
        return undefined;
    }
  }

  /** What was last asked under the key; without one of the client's, only where repeats are looked for. */
  #latestOf(key: AskKey): KeyRow | undefined {
    const isLookedFor = key.chosen || this.#variables().repeatWindowMs > 0;
    return isLookedFor ? this.#keys.get(key) : undefined;
  }

  /** Admits an ask, reserves, and starts its run: all in one synchronous block. */
  #start(ask: Ask, key: AskKey, identity: string | null, admitMs: number): Run {
    const config = this.#variables();
    // Built first: a variable that is wrong must refuse before anything is reserved.
    const adapters = [this.#parts.retriever(), this.#parts.generator()] as const;
    const now = Date.now();
    this.#admit(config, identity, now);
    const { window, room } = this.#quota.standing(now);
    const queryId = this.ctx.storage.transactionSync(() => {
      if (!this.#ledger.reserve(window, room)) throw this.#quota.exceeded(now);
      const id = this.#queries.insert(ask, key.hash, identity, window, now);
      this.#keys.put(key, id);
      return id;
    });
    this.#alarm.set(now + config.sweepIntervalMs);

    const run = new Run({ queryId, window, ask, identity, admitMs }, config);
    this.#runs.set(queryId, run);
    this.ctx.waitUntil(
      this.#drive(
        run,
        answer(ask, ...adapters, run.signal, () => run.sign()),
      ),
    );
    return run;
  }

  /** Every limit but the quota, which the reservation itself checks. */
  #admit(config: UserConfig, identity: string | null, now: number): void {
    const { failureLimit, concurrencyLimit } = config;
    if (this.#settings.get().blocked === 1) throw blocked();
    const unfinished = this.#unfinished();
    const waitMs = this.#failures.waitMs(now, failureLimit, identity, count(unfinished, identity));
    if (waitMs !== undefined) throw tooManyFailures(Math.max(1, Math.ceil(waitMs / 1000)));
    if (isReached(concurrencyLimit, count(unfinished, identity))) {
      const own = unfinished.filter((run) => run.identity === identity);
      const ending = own.length >= concurrencyLimit ? own : unfinished;
      throw tooManyRuns(concurrencyLimit, secondsUntilOneEnds(ending, now));
    }
    const runs = count([...this.#runs.values()], identity);
    if (isReached(concurrencyLimit + RUNS_HELD_MAX, runs)) throw tooManyRuns(concurrencyLimit, 1);
  }

  #admitReplay(identity: string | null): void {
    const replays = [...this.#replays.values()].map((reader) => ({ identity: reader }));
    if (isReached(REPLAY_LISTENERS_MAX, count(replays, identity))) throw tooManyReplays();
  }

  /** The runs whose answer is not whole yet. */
  #unfinished(): Run[] {
    return [...this.#runs.values()].filter((run) => run.transcript.ending === undefined);
  }

  /** If an ask would be refused because of listeners, nudges them: some may have left in a silence. */
  async #makeRoom(key: AskKey, identity: string | null): Promise<void> {
    if (this.#runs.size === 0) return;
    const run = this.#runs.get(this.#latestOf(key)?.query_id ?? "");
    const { concurrencyLimit } = this.#variables();
    const isFull = () =>
      run === undefined
        ? isReached(concurrencyLimit, count(this.#unfinished(), identity))
        : run.listeners.size >= LISTENERS_MAX;
    if (isFull()) await this.#nudge(isFull);
  }

  /** Nudges all listeners. Requests that want it at the same time share one round. */
  #nudge(isFull: () => boolean): Promise<void> {
    if (performance.now() - this.#nudgedAt < NUDGE_AGAIN_MS) return Promise.resolve();
    this.#nudging ??= this.#nudgeTwice(isFull).finally(() => {
      this.#nudging = undefined;
      this.#nudgedAt = performance.now();
    });
    return this.#nudging;
  }

  /** Twice, as a probe does, and with its pauses. */
  async #nudgeTwice(isFull: () => boolean): Promise<void> {
    for (let nudges = 0; nudges < 2 && isFull(); nudges += 1) {
      const listeners = [...this.#runs.values()].flatMap((run) => [...run.listeners]);
      for (const listener of listeners) listener.nudge();
      await scheduler.wait(Math.max(0, ...listeners.map(({ holdMs }) => holdMs)) / 2);
    }
  }

  /** Follows a run to its end and, where it failed, refunds before anybody is told. */
  async #drive(run: Run, events: ReturnType<typeof answer>): Promise<void> {
    const ending = await run.generate(events);
    // Left or stopped meanwhile: that was settled where it happened.
    if (run.transcript.ending !== undefined) return;
    if (ending.type === "failed") {
      const { code, message, cause, details } = ending.error;
      const why = [details.diagnosis ?? "", traceOf(cause)].filter((words) => words !== "");
      console.error(`Query ${run.queryId} failed: ${code}: ${message}`, why.join("\n"));
      this.#refund(run, "failed", ending.error);
      return;
    }
    run.transcript.end(ending);
    this.#chargeUnheard(run);
  }

  // --- Listening ---

  /** Attaches a listener to a run. */
  #join(run: Run, request: Request, how: ReadingMode): Promise<Response> {
    if (run.listeners.size >= LISTENERS_MAX) throw tooManyListeners(LISTENERS_MAX);
    const listener = new Listener(request.signal, this.#variables(), this.#holdMs(request));
    clearTimeout(run.waitTimer ?? null);
    run.waitTimer = undefined;
    run.listeners.add(listener);
    listener.onLeave = () => this.#left(run, listener);
    if (listener.left) this.#left(run, listener);
    const { queryId, transcript } = run;
    return this.#listen({ queryId, transcript, run, ...how }, listener);
  }

  /** Reads a stored answer to a listener, which costs nothing and settles nothing. */
  #replay(row: QueryRow, request: Request, how: ReadingMode): Promise<Response> {
    const identity = identityOf(request);
    this.#admitReplay(identity);
    const listener = new Listener(request.signal, this.#variables(), this.#holdMs(request));
    this.#replays.set(listener, identity);
    const transcript = Transcript.of(row);
    return this.#listen({ queryId: row.id, transcript, run: undefined, ...how }, listener);
  }

  /** A listener's response: for a stream at once, for JSON when the status is known. */
  async #listen(reading: Reading, listener: Listener): Promise<Response> {
    try {
      if (!reading.streaming) {
        const ending = await listener.wait(reading.transcript);
        if (ending?.type === "failed") throw this.#failure(reading.queryId, ending.error);
      }
      const headers = this.#headersOf(reading);
      this.ctx.waitUntil(this.#deliver(reading, listener));
      return new Response(listener.body, { headers });
    } catch (thrown) {
      this.#release(reading, listener);
      throw thrown;
    }
  }

  /** Where storage cannot say them, there is no response, and so nothing to charge for. */
  #headersOf(reading: Reading): Record<string, string> {
    try {
      return { ...readingHeaders(reading), ...this.#headers(reading.queryId) };
    } catch (thrown) {
      const error = toServiceError(thrown);
      if (reading.run !== undefined) this.#refund(reading.run, "failed", error);
      throw error;
    }
  }

  #holdMs(request: Request): number {
    const roundTripMs = request.headers.get(ROUND_TRIP_HEADER);
    return holdMs(roundTripMs === null ? undefined : Number(roundTripMs), this.#variables());
  }

  /** Brings one listener what there is to read, and charges when the end of it was accepted. */
  async #deliver(reading: Reading, listener: Listener): Promise<void> {
    const { queryId, transcript, run, streaming } = reading;
    try {
      const ending = streaming
        ? await listener.follow(
            opening(reading, this.#quota.remaining(Date.now())),
            transcript,
            cursorOf(reading),
          )
        : transcript.ending;
      if (ending === undefined || listener.left) return;
      // What is stored was paid for: whether anybody is there makes no difference.
      if (ending.type === "finished" && run !== undefined) {
        await listener.probe(beatOf(reading));
      }
      const last = listener.dismissal ?? ending;
      if (last.type === "failed") {
        await listener.end(closingError(reading, this.#failure(queryId, last.error).body));
        return;
      }
      const quotaRemaining = this.#quota.remaining(Date.now());
      const words = closing(reading, last.finish, quotaRemaining);
      const accepted = await listener.end(words, run === undefined ? 0 : FLUSH_MS);
      // The charge follows `done`: a crash in between gives an answer away, where the other order
      // would charge for one that never went out.
      if (accepted && run !== undefined) this.#charge(run, last.finish);
    } catch (thrown) {
      const error = toServiceError(thrown);
      if (run !== undefined) this.#refund(run, "failed", error);
      await listener.end(closingError(reading, { ...error.body, queryId }));
    } finally {
      this.#release(reading, listener);
    }
  }

  #release({ run }: Reading, listener: Listener): void {
    this.#replays.delete(listener);
    run?.listeners.delete(listener);
    listener.abandon();
  }

  /** When the last listener has left, the ask itself has said what becomes of its run. */
  #left(run: Run, listener: Listener): void {
    run.listeners.delete(listener);
    if (run.listeners.size > 0 || !this.#runs.has(run.queryId)) return;
    switch (run.onDisconnect) {
      case "cancel":
        this.#giveUp(run, "disconnected");
        break;
      case "wait":
        run.waitsUntil = Date.now() + this.#variables().resumeWaitMs;
        run.waitTimer = setTimeout(
          () => this.#giveUp(run, "disconnected"),
          this.#variables().resumeWaitMs,
        );
        break;
      case "continue":
        this.#chargeUnheard(run);
        break;
    }
  }

  /**
   * Nobody wants the answer any more: it is stopped and refunded. Past the refund allowance it is
   * finished alone, charged and kept, or who reads everything and leaves before `done` would read free.
   */
  #giveUp(run: Run, reason: "disconnected" | "cancelled"): void {
    if (this.#allowsRefund(run)) {
      this.#refund(run, reason, stopped());
      return;
    }
    run.onDisconnect = "continue";
    const ending: Ending = { type: "failed", error: finishedWithoutYou() };
    for (const listener of run.listeners) listener.dismiss(ending);
    run.listeners.clear();
    this.#chargeUnheard(run);
  }

  /** An answer that is whole, that nobody listens to, and that was to go on, is charged. */
  #chargeUnheard(run: Run): void {
    const { ending } = run.transcript;
    if (run.onDisconnect !== "continue" || run.listeners.size > 0) return;
    if (ending?.type === "finished") this.#charge(run, ending.finish);
  }

  /** Whether the allowance has a refund left; in doubt, which is when storage fails, for the user. */
  #allowsRefund(run: Run): boolean {
    try {
      return this.#quota.refundsLeft(run.window, run.identity) > 0;
    } catch (thrown) {
      console.error(`The refund allowance could not be read for query ${run.queryId}:`, thrown);
      return true;
    }
  }

  // --- Resolving ---

  #charge(run: Run, finish: Finish): void {
    const { tokens, sources } = run.transcript;
    const { firstTokenMs, totalMs } = run;
    this.#resolve(run, { state: "charged", finish }, () => {
      const stored = { tokens, sources, finish, firstTokenMs, totalMs };
      const window = this.#queries.charge(run.queryId, Date.now(), stored);
      if (window !== undefined) this.#ledger.charge(window);
      return window !== undefined;
    });
    // Whoever reads on reads a stored answer from now on.
    for (const listener of run.listeners) this.#replays.set(listener, run.identity);
  }

  /** Gives the reservation back, stops what is upstream, and tells every listener why. */
  #refund(run: Run, reason: RefundReason, error: ServiceError): void {
    run.abort();
    if (reason === "failed" && this.#runs.has(run.queryId)) {
      this.#failures.add({ at: Date.now(), identity: run.identity });
    }
    const { code } = error;
    this.#resolve(run, { state: "refunded", reason, code }, () =>
      this.#giveBack(run.queryId, reason),
    );
    run.transcript.end({ type: "failed", error });
  }

  /** False if it was not reserved any more. */
  #giveBack(queryId: string, reason: RefundReason): boolean {
    const window = this.#queries.refund(queryId, Date.now(), reason);
    if (window !== undefined) this.#ledger.refund(window, reason);
    return window !== undefined;
  }

  /** The one way in which a run lets go of its reservation; the first to come wins. */
  #resolve(run: Run, outcome: Outcome, write: () => boolean): void {
    // Gone from the list whatever happens: what is reserved without a run is the sweep's.
    if (!this.#runs.delete(run.queryId)) return;
    clearTimeout(run.waitTimer ?? null);
    try {
      // A write that fails would reset the object, and cut the other runs off.
      if (this.#outage.isOn) throw storageOut();
      const isMoved = this.ctx.storage.transactionSync(write);
      const { firstTokenMs, totalMs } = run;
      const tokens = run.transcript.tokens.length;
      if (isMoved) this.#log(run.queryId, { ...outcome, tokens, firstTokenMs, totalMs });
    } catch (thrown) {
      console.error(`Query ${run.queryId} was not ${outcome.state}; the sweep refunds it.`, thrown);
    }
    run.resolved.resolve();
  }

  /**
   * One line for each query, at its end. The user is the object's id, which is a hash of the name. The
   * line waits for the disk: a write that is lost is repeated, and logged, by the next incarnation.
   */
  #log(queryId: string, outcome: Outcome): void {
    const line = encodeJson({ event: "query", queryId, user: this.ctx.id.toString(), ...outcome });
    this.ctx.waitUntil(
      this.ctx.storage.sync().then(
        () => console.log(line),
        () => {},
      ),
    );
  }

  /**
   * Does what the alarm is for, and comes back as long as there is anything to do.
   * Never throws: an alarm that does is dropped after 7 tries, and reservations would leak.
   */
  #tend(work: () => void): void {
    if (!this.#known) return;
    try {
      work();
      if (this.#ledger.reserved() > 0)
        this.#alarm.set(Date.now() + this.#variables().sweepIntervalMs);
    } catch (thrown) {
      console.error("The alarm's work failed and is tried again:", thrown);
      this.#alarm.set(Date.now() + SWEEP_RETRY_MS);
    }
  }

  /** Refunds what is reserved without a run behind it. */
  #sweep(): void {
    for (const { id } of this.#queries.reserved(this.#ledger.reserved())) {
      if (this.#runs.has(id)) continue;
      try {
        const isMoved = this.ctx.storage.transactionSync(() => this.#giveBack(id, "expired"));
        if (isMoved) this.#log(id, { state: "refunded", reason: "expired" });
      } catch (thrown) {
        // It stays reserved, so the alarm comes back; the others must not wait for it.
        console.error(`Query ${id} could not be swept:`, thrown);
      }
    }
  }

  #prune(): void {
    const now = Date.now();
    const { retentionMs } = this.#variables();
    const due = this.ctx.storage.transactionSync(() => this.#retention.prune(now, retentionMs));
    // What is due already is the next batch, to which asks may come in between.
    if (due !== undefined) this.#alarm.set(Math.max(due, now + 1_000));
  }

  // --- The other routes ---

  #list(request: Request): Response {
    const parameters = new URL(request.url).searchParams;
    const limit = wholeParameter(parameters, "limit", { byDefault: 20, min: 1, max: 100 });
    const before = parameters.get("before") ?? undefined;
    const page = this.#queries.page(limit, before, identityOf(request));
    if (page === undefined) throw wrongParameter("before", "a query id");
    const { rows, more } = page;
    return json({ queries: rows.map(receipt), before: more ? rows.at(-1)?.id : null });
  }

  /** The head of what `#resume` answers, without a listener: nothing is read, joined or put off. */
  #peek(request: IRequest): Response {
    const row = this.#findOwn(request);
    const run = this.#runs.get(row.id);
    const how = resumption(request);
    if (run === undefined && row.answer === null) throw notKept();
    const transcript = run?.transcript ?? Transcript.of(row);
    const reading = { queryId: row.id, transcript, run, ...how };
    const headers = { ...readingHeaders(reading), ...this.#headers(row.id) };
    return new Response(null, { headers });
  }

  async #resume(request: IRequest): Promise<Response> {
    const { id } = this.#findOwn(request);
    const how = resumption(request);
    const isFull = () => (this.#runs.get(id)?.listeners.size ?? 0) >= LISTENERS_MAX;
    if (isFull()) await this.#nudge(isFull);
    const run = this.#runs.get(id);
    if (run !== undefined) return this.#join(run, request, how);
    const row = this.#find(id);
    if (row.answer === null) throw notKept();
    return this.#replay(row, request, how);
  }

  async #cancel(request: IRequest): Promise<Response> {
    const { id: queryId } = this.#findOwn(request);
    const run = this.#runs.get(queryId);
    if (run !== undefined) {
      // Who stops it will not come back for it.
      if (run.onDisconnect === "wait") run.onDisconnect = "cancel";
      // Once the pipeline has finished, delivery decides, as long as there is anybody to deliver to.
      if (run.transcript.ending !== undefined && run.listeners.size > 0) await run.resolved.promise;
      else this.#giveUp(run, "cancelled");
    }
    return json(receipt(this.#find(queryId)));
  }

  async #feedback(request: Request): Promise<Response> {
    const { queryId, rating, comment } = parseFeedback(await this.#body(request));
    const row = this.#find(queryId, identityOf(request));
    if (row.query === null) throw notKept();
    // Left out, the comment stays; with the rating it goes.
    const kept = rating === null ? null : comment === undefined ? row.comment : comment;
    this.#queries.rate(row.id, rating, kept);
    return json({ queryId, rating, comment: kept });
  }

  async #inspect(): Promise<Response> {
    if (!this.#known) throw nobody();
    const { limit, refundLimit } = this.#quota.limits();
    const alarmAt = await this.ctx.storage.getAlarm();
    return json(
      inspect({
        now: Date.now(),
        settings: this.#settings,
        ledger: this.#ledger,
        queries: this.#queries,
        runs: this.#runs,
        limit,
        refundLimit,
        shareQueries: this.#variables().shareQueries,
        alarmAt,
        storageBytes: this.ctx.storage.sql.databaseSize,
      }),
    );
  }

  async #change(request: Request): Promise<Response> {
    const change = parseSettingsChange(await this.#body(request));
    this.#open(request);
    this.ctx.storage.transactionSync(() => this.#settings.change(change));
    return this.#inspect();
  }

  /** An operator's own refund; the answer stays readable. Again: the same receipt. */
  #takeBack(id: string): Response {
    if (!this.#known) throw nobody();
    const row = this.#find(id);
    this.ctx.storage.transactionSync(() => {
      const window = this.#queries.takeBack(row.id, Date.now());
      if (window !== undefined) this.#ledger.takeBack(window);
    });
    return json(shownReceipt(this.#find(row.id), this.#variables().shareQueries));
  }

  /** Ends the runs and leaves nothing of the user. Again: 404, as for anybody whom nobody knows. */
  async #erase(): Promise<Response> {
    if (!this.#known) throw nobody();
    const ending: Ending = { type: "failed", error: erased() };
    for (const run of this.#runs.values()) {
      run.abort();
      clearTimeout(run.waitTimer ?? null);
      run.transcript.end(ending);
      for (const listener of run.listeners) listener.dismiss(ending);
      run.resolved.resolve();
    }
    for (const listener of this.#replays.keys()) listener.dismiss(ending);
    // ctx.abort() would forget this too, and lose the response; what is in memory is all here.
    this.#runs.clear();
    this.#failures.clear();
    this.#known = false;
    this.#alarm.clear();
    try {
      await this.ctx.storage.deleteAll();
    } catch (thrown) {
      // All is still there, and what was reserved has no run any more.
      this.#known = true;
      this.#tend(() => this.#sweep());
      throw thrown;
    }
    return new Response(null, { status: 204 });
  }

  // --- What several of the above need ---

  #failedLately(): Failure[] {
    return this.#known ? this.#queries.failedAfter(Date.now() - WITHIN_MS) : [];
  }

  #open(request: Request): void {
    if (this.#known) return;
    const name = decodeURIComponent(request.headers.get(USER_HEADER) ?? "");
    this.ctx.storage.transactionSync(() => {
      this.ctx.storage.sql.exec(SETTINGS_SCHEMA + LEDGER_SCHEMA + QUERIES_SCHEMA + KEYS_SCHEMA);
      this.#settings.create(name);
    });
    this.#known = true;
  }

  #variables(): UserConfig {
    this.#config ??= userConfig(this.env);
    return this.#config;
  }

  #body(request: Request): Promise<unknown> {
    const { bodyTimeoutMs } = this.#variables();
    const limits = { bytesMax: BODY_BYTES_MAX, timeoutMs: bodyTimeoutMs, untyped: true };
    return readJson(request, limits);
  }

  #findOwn(request: IRequest): QueryRow {
    return this.#find(idOf(request.params), identityOf(request));
  }

  /** A query that is not there for this identity is not there; operators see everybody's. */
  #find(id: string, identity?: string | null): QueryRow {
    const row = this.#known ? this.#queries.get(id) : undefined;
    const hidden = identity !== undefined && row?.identity !== identity;
    if (row === undefined || hidden) throw noQuery();
    return row;
  }

  #headers(queryId: string): Record<string, string> {
    return { "x-query-id": queryId, ...this.#quota.headers(Date.now()) };
  }

  /** A run's error as its listeners are told it: with the query, and the quota after the refund. */
  #failure(queryId: string, error: ServiceError): ServiceError {
    const known = this.#known;
    return new ServiceError(error.code, error.message, {
      body: { queryId, ...(known && { quotaRemaining: this.#quota.remaining(Date.now()) }) },
      headers: { ...error.details.headers, ...(known && this.#headers(queryId)) },
    });
  }
}

function resumption(request: Request): ReadingMode {
  const { searchParams } = new URL(request.url);
  const bounds = { byDefault: 0, min: 0, max: 999_999_999 };
  return { after: wholeParameter(searchParams, "after", bounds), streaming: true };
}

function idOf({ id = "" }: IRequest["params"]): string {
  return decodeParameter(id);
}

function identityOf(request: Request): string | null {
  return request.headers.get(IDENTITY_HEADER);
}

/**
 * When to ask again, in seconds. A run that only waits for its reader to come back ends at a known time;
 * any other may end at any time.
 */
function secondsUntilOneEnds(runs: readonly Run[], now: number): number {
  const times = runs.map((run) => (run.waitTimer === undefined ? now : run.waitsUntil));
  return Math.max(1, Math.ceil((Math.min(...times) - now) / 1000));
}

/** Whether the client may ask again by itself whenever a stream ends: all that do accept only streams. */
function asksByItself({ headers }: Request): boolean {
  const types = headers.get("accept")?.split(",") ?? [];
  const onlyStreams = types.every((type) => /^\s*text\/event-stream\s*(;|$)/i.test(type));
  return headers.has("last-event-id") || (types.length > 0 && onlyStreams);
}
