// UserObject: one per user. It has the routes and the alarm. It reads the body
// of an ask and gives the ask to asks.ts. Other requests are answered in
// operators.ts, query-log.ts, responses.ts, chats.ts and calls.ts. The edge has
// decided who the caller is.

import { DurableObject } from "cloudflare:workers";
import { type IRequest, Router } from "itty-router";
import { Alarm } from "../alarm.ts";
import { budgetConfig } from "../budget-config.ts";
import { type UserConfig, userConfig, type Variables } from "../config.ts";
import { toServiceError } from "../errors.ts";
import { answerFormat, refusalForm } from "../formats/choice.ts";
import { EVENTS } from "../formats/events.ts";
import { errorResponse } from "../formats/format.ts";
import { json } from "../formats/json.ts";
import { CHAT_COMPLETIONS } from "../formats/openai-chat.ts";
import { RESPONSES } from "../formats/openai-responses-request.ts";
import type { Surface } from "../formats/surface.ts";
import { UI_CHAT } from "../formats/ui-message-request.ts";
import type { Statement } from "../loan.ts";
import { API_PREFIX } from "../protocol.ts";
import type { Directory } from "../report.ts";
import { readJson } from "../request.ts";
import type { AdapterParts } from "./adapters.ts";
import { BODY_BYTES_MAX, CONVERSATION_BYTES_MAX, parseAsk } from "./ask.ts";
import { Asks } from "./asks.ts";
import { AuditSample } from "./audit-sample.ts";
import { Borrower, type BorrowerParts } from "./borrower.ts";
import { Calls } from "./calls.ts";
import { Chats } from "./chats.ts";
import { Operators } from "./operators.ts";
import { Outage } from "./outage.ts";
import { QueryLog } from "./query-log.ts";
import { Quota } from "./quota.ts";
import { receipt } from "./receipt.ts";
import { notUpToDate, storageOut } from "./refusals.ts";
import { Reporter } from "./reporter.ts";
import { Reservations } from "./reservations.ts";
import { Responses } from "./responses.ts";
import { Retention } from "./retention.ts";
import { Tables } from "./tables.ts";
import { TrialWrite } from "./trial-write.ts";
import {
  afterOf,
  claimedLimitOf,
  identityOf,
  idOf,
  readableOf,
  retriesByItself,
  subscriberOf,
  traceOf,
  userNameOf,
} from "./user-request.ts";

const ADMIN = `${API_PREFIX}/admin/`;
/** After a failed alarm the next one comes this much later, in milliseconds. */
const ALARM_RETRY_MS = 30_000;
/** How old a check of storage may be for an alarm, in milliseconds. */
const CHECK_AGE_MAX_MS = 10_000;

/**
 * What the object is given: see wiring.ts. The adapters throw UNAVAILABLE if a
 * variable is wrong.
 */
export interface UserParts extends AdapterParts, Pick<BorrowerParts, "budget"> {
  storageProbe(): { tryWrite(maxAgeMs: number): Promise<void> };
  /** Undefined where there is no binding. */
  directory(): Directory | undefined;
}

export class UserObject extends DurableObject<Variables> {
  readonly #tables: Tables;
  readonly #quota: Quota;
  readonly #reservations: Reservations;
  readonly #retention: Retention;
  readonly #auditSample: AuditSample;
  readonly #asks: Asks;
  readonly #log: QueryLog;
  readonly #responses: Responses;
  readonly #calls: Calls;
  readonly #chats: Chats;
  readonly #reporter: Reporter;
  readonly #borrower: Borrower;
  readonly #operators: Operators;
  readonly #alarm: Alarm;
  readonly #outage: Outage;
  readonly #trialWrite: TrialWrite;
  #config: UserConfig | undefined;

  static readonly #router = Router<IRequest, [UserObject]>()
    .post(`${API_PREFIX}/ai/ask`, (request, user) => user.#ask(request))
    .post("/v1/chat/completions", (request, user) => user.askOn(CHAT_COMPLETIONS, request))
    .post("/v1/responses", (request, user) => user.askOn(RESPONSES, request))
    .post(`${API_PREFIX}/ai/chat`, (request, user) => user.askOn(UI_CHAT, request))
    // A page asks this when it opens, maybe before its user's first ask.
    .get(`${API_PREFIX}/ai/chat/:id/stream`, (request, user) => user.#chats.resume(request))
    .head(`${API_PREFIX}/ai/chat/:id/stream`, (request, user) => user.#chats.head(request))
    // Every user's route creates the user. Admin routes do not, except PATCH.
    .all(`${API_PREFIX}/ai/*`, (request, user) => user.#tables.create(userNameOf(request)))
    .all("/v1/*", (request, user) => user.#tables.create(userNameOf(request)))
    .get("/v1/responses/:id", (request, user) => user.#responses.retrieve(request))
    .head("/v1/responses/:id", (request, user) => user.#responses.head(request))
    .post("/v1/responses/:id/cancel", (request, user) => user.#responses.cancel(request))
    .get(`${API_PREFIX}/ai/quota`, (request, user) =>
      json(user.#quota.body(Date.now(), identityOf(request))),
    )
    .get(`${API_PREFIX}/ai/queries`, (request, user) => user.#log.list(request))
    .get(`${API_PREFIX}/ai/queries/:id`, (request, user) =>
      json(receipt(user.#log.findOwn(request))),
    )
    .delete(`${API_PREFIX}/ai/queries/:id`, (request, user) =>
      user.#reported(user.#log.delete(request)),
    )
    .get(`${API_PREFIX}/ai/queries/:id/events`, (request, user) => user.#resume(request))
    .head(`${API_PREFIX}/ai/queries/:id/events`, (request, user) => user.#head(request))
    .post(`${API_PREFIX}/ai/queries/:id/cancel`, (request, user) => user.#cancel(request))
    .post(`${API_PREFIX}/ai/feedback`, async (request, user) =>
      user.#reported(user.#log.rate(await user.#body(request), identityOf(request))),
    )
    .get(`${API_PREFIX}/admin/users/:userId`, (_request, user) => user.#operators.inspect())
    .patch(`${API_PREFIX}/admin/users/:userId`, (request, user) => user.#operators.change(request))
    .delete(`${API_PREFIX}/admin/users/:userId`, (_request, user) => user.#operators.erase())
    .get(`${API_PREFIX}/admin/users/:userId/export`, (_request, user) => user.#operators.export())
    .post(`${API_PREFIX}/admin/users/:userId/queries/:id/refund`, ({ params }, user) =>
      user.#operators.refundCharge(idOf(params)),
    );

  constructor(ctx: DurableObjectState, env: Variables, parts: UserParts) {
    super(ctx, env);
    this.#alarm = new Alarm(ctx.storage);
    this.#trialWrite = new TrialWrite(ctx.storage);
    this.#outage = new Outage((maxAgeMs) => parts.storageProbe().tryWrite(maxAgeMs));
    this.#tables = new Tables(ctx.storage);
    this.#quota = new Quota(() => this.#variables(), this.#tables);
    this.#reservations = new Reservations(ctx, this.#tables);
    this.#retention = new Retention(this.#tables);
    this.#auditSample = new AuditSample(ctx.id.toString(), this.#tables);
    this.#log = new QueryLog(this.#tables);
    this.#borrower = new Borrower({
      ...parts,
      tables: this.#tables,
      alarm: this.#alarm,
      user: ctx.id.toString(),
      config: () => budgetConfig(this.env),
    });
    this.#asks = new Asks({
      ...parts,
      borrower: this.#borrower,
      ctx,
      config: () => this.#variables(),
      tables: this.#tables,
      quota: this.#quota,
      reservations: this.#reservations,
      alarm: this.#alarm,
      outage: this.#outage,
    });
    this.#calls = new Calls(this.#asks);
    this.#responses = new Responses(this.#asks, this.#log, this.#tables, this.#quota);
    this.#chats = new Chats(this.#asks, this.#tables, () => this.#variables());
    this.#reporter = new Reporter({
      storage: ctx.storage,
      alarm: this.#alarm,
      tables: this.#tables,
      user: ctx.id.toString(),
      directory: () => parts.directory(),
      options: (now) => {
        const { shareQueries, retentionMs } = this.#variables();
        return { shareQueries, oldest: now - retentionMs };
      },
    });
    this.#operators = new Operators({
      storage: ctx.storage,
      tables: this.#tables,
      asks: this.#asks,
      quota: this.#quota,
      log: this.#log,
      reservations: this.#reservations,
      reporter: this.#reporter,
      sharesQueries: () => this.#variables().shareQueries,
      body: (request) => this.#body(request),
      erase: () => this.#erase(),
    });
    // An unknown user has no alarm and nothing reserved.
    if (this.#tables.exist) ctx.blockConcurrencyWhile(() => this.#wake());
  }

  async #wake(): Promise<void> {
    // An ask must not put off the alarm that an earlier instance set.
    await this.#alarm.recall();
    if (this.#tables.ledger.reserved() === 0) return;
    // Anything still reserved was left by an instance that died, maybe of a
    // failed write. Another failed write would make this one unreadable too.
    if (await this.#outage.check(0)) return;
    this.#runAlarm(() => this.#sweep());
  }

  /** A write on `storageProbe` only: it deletes all that is stored. */
  tryWrite(maxAgeMs: number): Promise<void> {
    return this.#trialWrite.make(maxAgeMs);
  }

  /** False for an unknown user, and while the data cannot be read. */
  isBlocked(): boolean {
    return this.#tables.exist && this.#tables.settings.get().blocked === 1;
  }

  /** Cancels a call of an MCP client. */
  cancelCall(call: string): Promise<void> {
    return this.#calls.cancel(call);
  }

  /** The budget asks for what it has lent: see loan.ts. */
  recall(log: string, known: Statement, isUrgent: boolean): Promise<Statement | undefined> {
    if (!this.#tables.isUsable || this.#outage.isOn) throw storageOut();
    return Promise.resolve(this.#borrower.recall(log, known, isUrgent));
  }

  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    try {
      if (!this.#tables.isUsable) throw notUpToDate();
      await this.#refuseInOutage(request.method, url.pathname);
      if (!url.pathname.startsWith(ADMIN)) this.#quota.claim(claimedLimitOf(request));
      return await UserObject.#router.fetch(request, this);
    } catch (thrown) {
      return errorResponse(toServiceError(thrown), refusalForm(url));
    }
  }

  override async alarm(): Promise<void> {
    this.#alarm.clear();
    // A later release, which can read the database, goes on.
    if (!this.#tables.isUsable) return this.#alarm.set(Date.now() + ALARM_RETRY_MS);
    await this.#outage.end(CHECK_AGE_MAX_MS);
    this.#runAlarm(() => {
      this.#sweep();
      this.#quota.keepClaim();
    });
    // Before the next alarm is set: one that is cut off rings again.
    await this.#borrower.run();
    await this.#reporter.run();
    this.#runAlarm(() => {
      this.#prune();
      this.#auditSample.take();
    });
  }

  /**
   * Refuses requests that write while storage takes no writes. Reading goes on.
   * So does stopping, whose refund is left to the sweep, and an operator's
   * erasing, which makes room.
   */
  async #refuseInOutage(method: string, path: string): Promise<void> {
    const isErasing = method === "DELETE" && path.startsWith(ADMIN);
    const isWriting = /^(POST|PATCH|DELETE)$/.test(method) && !isErasing;
    if (!this.#outage.isOn || !isWriting || path.endsWith("/cancel")) return;
    if (await this.#outage.check(0)) throw storageOut();
    this.#runAlarm(() => this.#sweep());
  }

  /**
   * Does the work of an alarm, and sets the next one while anything is
   * reserved. Never throws: the runtime drops an alarm after 7 failures, and
   * reservations would leak.
   */
  #runAlarm(work: () => void): void {
    if (!this.#tables.exist) return;
    try {
      work();
      if (this.#tables.ledger.reserved() > 0) {
        this.#alarm.set(Date.now() + this.#variables().sweepIntervalMs);
      }
    } catch (thrown) {
      console.error("The alarm's work failed and is tried again:", thrown);
      this.#alarm.set(Date.now() + ALARM_RETRY_MS);
    }
  }

  #sweep(): void {
    this.#reservations.sweep((id) => this.#asks.runs.has(id));
  }

  #prune(): void {
    const now = Date.now();
    const { retentionMs } = this.#variables();
    const due = this.#retention.prune(now, retentionMs);
    // A batch that is due already comes a second later, so that asks come in
    // between.
    if (due !== undefined) this.#alarm.set(Math.max(due, now + 1_000));
  }

  // --- Asks ---

  /** Our own surface: the URL says the format. */
  async #ask(request: Request): Promise<Response> {
    const format = await this.#orKnown(request, () => answerFormat(new URL(request.url)));
    const surface: Surface = {
      read: (body, readable) => ({ ask: parseAsk(body, readable), format }),
    };
    return this.askOn(surface, request, BODY_BYTES_MAX);
  }

  /** An ask of any surface. */
  protected async askOn(
    surface: Surface,
    request: Request,
    bytesMax = CONVERSATION_BYTES_MAX,
  ): Promise<Response> {
    const receivedAt = performance.now();
    const asked = await this.#orKnown(request, async () =>
      surface.read(await this.#body(request, bytesMax), readableOf(request)),
    );
    const { format, previous, chat, again = false, later } = asked;
    const identity = identityOf(request);
    const ask = await this.#orKnown(request, () => this.#responses.follow(asked, identity));
    const response = await this.#asks.ask({
      ...subscriberOf(request, format, 0),
      userName: userNameOf(request),
      ...{ ask: { ...ask, trace: traceOf(request) }, previous, again },
      idempotencyKey: request.headers.get("idempotency-key"),
      retriesByItself: retriesByItself(request),
      receivedAt,
    });
    this.#calls.begin(request, response);
    const queryId = response.headers.get("x-query-id");
    if (chat && queryId) this.#chats.add(chat, identity, queryId);
    return later ? this.#responses.asJson(response, identity) : response;
  }

  /**
   * A user's first ask makes the tables in one write with its reservation. One
   * that is refused before makes them too.
   */
  async #orKnown<T>(request: Request, check: () => T | Promise<T>): Promise<T> {
    try {
      return await check();
    } catch (thrown) {
      this.#tables.create(userNameOf(request));
      throw thrown;
    }
  }

  #resume(request: IRequest): Promise<Response> {
    const { id } = this.#log.findOwn(request);
    return this.#asks.resume(id, subscriberOf(request, EVENTS, afterOf(request)));
  }

  #head(request: IRequest): Response {
    const row = this.#log.findOwn(request);
    return this.#asks.head(row, subscriberOf(request, EVENTS, afterOf(request)));
  }

  async #cancel(request: IRequest): Promise<Response> {
    const { id } = this.#log.findOwn(request);
    await this.#asks.cancel(id);
    return json(receipt(this.#log.find(id)));
  }

  /** The response to a change that the directory has to hear of. */
  #reported(response: Response): Response {
    this.#reporter.soon();
    return response;
  }

  // --- Operators ---

  /** Ends the runs and deletes all that is stored. */
  async #erase(): Promise<void> {
    // ctx.abort() would reset memory too, but lose the response.
    this.#asks.end();
    this.#alarm.clear();
    this.#retention.forget();
    this.#calls.clear();
    this.#chats.clear();
    try {
      await this.#borrower.erase(() => this.#reporter.begin(() => this.#tables.delete()));
    } catch (thrown) {
      // Everything is still stored, and what was reserved has no run any more.
      this.#runAlarm(() => this.#sweep());
      throw thrown;
    }
  }

  // --- What several of the above need ---

  #variables(): UserConfig {
    this.#config ??= userConfig(this.env);
    return this.#config;
  }

  #body(request: Request, bytesMax = BODY_BYTES_MAX): Promise<unknown> {
    const { bodyTimeoutMs } = this.#variables();
    const limits = { bytesMax, timeoutMs: bodyTimeoutMs, untyped: true };
    return readJson(request, limits);
  }
}
