// The world of one history: a user's object, its connections, its model,
// its clock, its crashes, and a look into its storage.
// It acts as told; model.ts and invariants.ts judge the outcome.

import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { Quota } from "../../src/protocol.ts";
import { UserObject as RealUserObject } from "../../src/user/user-object.ts";
import { USER_HEADER } from "../../src/user/user-request.ts";
import { UserObject, variables } from "../worker.ts";
import { Connection } from "./connection.ts";
import {
  breakCounters,
  installJournal,
  mendCounters,
  OUT,
  refuseWrites,
  type Snapshot,
  takeSnapshot,
  takeWrites,
} from "./journal.ts";
import type { AskOptions, Settings } from "./model.ts";
import { type Call, Upstream } from "./upstream.ts";

const DAY_MS = 86_400_000;
/** The shortest possible grace before `done`. */
const GRACE_MS = 20;
const RESUME_WAIT_MS = 15_000;
/** Twice as long as a model may be silent. */
const SILENCE_MS = 3_600_000;
/** The pause between two looks of an alarm that waits for an outage to end. */
export const LOOK_MS = 10_000;
/** How far the clock goes back. */
const BACK_MS = 3_600_000;
/** The start of every history: far away, so that no alarm rings by itself. */
const BEGINNING = Date.UTC(2041, 0, 1, 12);

export interface CancelRequest {
  readonly queryId: string;
  answer: { readonly status: number; readonly state: string | undefined } | "lost" | undefined;
}

const digest = crypto.subtle.digest.bind(crypto.subtle);

let worlds = 0;

export class World {
  readonly name: string;
  readonly settings: Settings;
  readonly upstream: Upstream;
  /** Errors the object has logged since the last step. */
  readonly complaints: string[];
  readonly connections: Connection[] = [];
  cancels: CancelRequest[] = [];
  /** Queries with a stop since the last step. */
  readonly cancelled = new Set<string>();
  /** Queries whose texts their user has deleted. */
  readonly deleted = new Set<string>();
  readonly #ended = new Set<Connection>();
  /** All asks so far, for repeating them. */
  readonly asked: AskOptions[] = [];
  /** By key: the number of its last query before the key was pruned. */
  readonly forgottenKeys = new Map<string, number>();
  /** The latest time the clock has shown. */
  latest = BEGINNING;
  /** Faults at a moment that no later look can see. */
  readonly violations: string[] = [];
  /** The state after the last step. */
  before: Snapshot;
  /** Connections before this index belong to a dead instance. */
  survivors = 0;
  /** Reserved, but without a run since their transaction failed. */
  readonly orphans = new Set<string>();
  /** The visible effects of the last step. */
  effects = "";
  /** Asks that wait in the object for others, and how many are missing. */
  #gate: { missing: number; readonly waiting: (() => void)[] } | undefined;
  #storage: DurableObjectStorage | undefined;
  /** Whether storage refuses writes. */
  isOut = false;
  /** The object that a user object asks to try a write. */
  readonly #probed = { getByName: () => ({ tryWrite: () => this.#tryWrite() }) };

  private constructor(name: string, settings: Settings, upstream: Upstream, complaints: string[]) {
    this.name = name;
    this.settings = settings;
    this.upstream = upstream;
    this.complaints = complaints;
    this.before = this.#nothing();
  }

  #nothing(): Snapshot {
    return {
      rows: [],
      windows: [],
      keys: [],
      counts: [],
      transitions: [],
      last: 0,
      limit: this.settings.limit,
      refundLimit: this.settings.refundLimit,
      blocked: false,
      alarmAt: null,
      quota: undefined as never,
      now: BEGINNING,
    };
  }

  /** A new user at the beginning of time. */
  static async create(
    settings: Settings,
    upstream: Upstream,
    complaints: string[],
  ): Promise<World> {
    vi.clearAllTimers();
    vi.setSystemTime(BEGINNING);
    worlds += 1;
    const world = new World(`history-${worlds}`, settings, upstream, complaints);
    variables.set(world.name, {
      USERS: world.#probed as unknown as string,
      GENERATOR: "openai",
      OPENAI_BASE_URL: Upstream.url(world.name),
      QUOTA_LIMIT: `${settings.limit}`,
      REFUND_LIMIT: `${settings.refundLimit}`,
      QUOTA_PERIOD: settings.period,
      CONCURRENCY_LIMIT: `${settings.concurrencyLimit}`,
      FAILURE_LIMIT: `${settings.failureLimit}`,
      REPEAT_WINDOW_SECONDS: `${settings.repeatSeconds}`,
      RESUME_WAIT_SECONDS: `${RESUME_WAIT_MS / 1_000}`,
      DELIVERY_HOLD_MS: `${GRACE_MS}`,
      RETENTION_DAYS: "1",
      FIRST_TOKEN_TIMEOUT_MS: `${SILENCE_MS / 2}`,
      TOKEN_GAP_TIMEOUT_MS: `${SILENCE_MS / 2}`,
      // Longer than any history.
      PING_INTERVAL_MS: `${DAY_MS}`,
      WRITE_TIMEOUT_MS: `${DAY_MS}`,
      BODY_TIMEOUT_MS: `${DAY_MS}`,
      GENERATION_TIMEOUT_MS: `${DAY_MS}`,
    });
    upstream.onCall = (call) => world.#called(call);
    const { fetch } = RealUserObject.prototype;
    vi.spyOn(UserObject.prototype, "fetch").mockImplementation(function (
      this: UserObject,
      request,
    ) {
      // The only way to the storage of an instance not looked into yet.
      world.#storage = (this as unknown as { ctx: DurableObjectState }).ctx.storage;
      return fetch.call(this, request);
    });
    vi.spyOn(crypto.subtle, "digest").mockImplementation(async (...hashed) => {
      await world.#meet();
      return digest(...hashed);
    });
    await world.#open();
    return world;
  }

  /** The first request creates the tables; then the journal watches. */
  #open(): Promise<void> {
    return runInDurableObject(this.#stub, async (object, { storage }) => {
      await object.fetch(this.#request("/ai/quota"));
      installJournal(storage.sql, this.settings.limit, this.settings.refundLimit);
    });
  }

  // --- Requests ---

  get #stub() {
    return env.USERS.getByName(this.name);
  }

  request(path: string, init: RequestInit = {}): Promise<Response> {
    return this.#stub.fetch(this.#request(path, init));
  }

  #request(path: string, init: RequestInit = {}, user = this.name): Request {
    const headers = new Headers(init.headers);
    headers.set(USER_HEADER, user);
    headers.set("content-type", "application/json");
    return new Request(`https://user.test/api/v1${path}`, { ...init, headers });
  }

  async ask({ question, onDisconnect, key, streaming }: AskOptions): Promise<Connection> {
    const connection = new Connection({ question, streaming, after: 0 }, (signal) =>
      this.request(`/ai/ask${streaming ? "?stream=true" : ""}`, {
        method: "POST",
        body: JSON.stringify({ query: question, onDisconnect }),
        headers: {
          ...(key !== undefined && { "idempotency-key": key }),
          // Like clients that retry by themselves.
          ...(streaming && { accept: "text/event-stream" }),
        },
        signal,
      }),
    );
    this.connections.push(connection);
    if (streaming) await connection.answered;
    return connection;
  }

  /**
   * Holds the next asks until all have reached the last await before their
   * decision, the hash of the key. Then all go on in one turn
   * of the event loop: requests cannot be closer.
   * One await between a check and its write lets another in.
   */
  gather(asks: number): void {
    this.#gate = { missing: asks, waiting: [] };
  }

  async gathered(): Promise<void> {
    while (this.#gate !== undefined) await this.turn();
  }

  async #tryWrite(): Promise<void> {
    if (this.isOut) throw new Error(OUT);
  }

  /** Runs inside the object. */
  async #meet(): Promise<void> {
    const gate = this.#gate;
    if (gate === undefined) return;
    gate.missing -= 1;
    const passed = new Promise<void>((resolve) => gate.waiting.push(resolve));
    if (gate.missing === 0) {
      this.#gate = undefined;
      for (const pass of gate.waiting) pass();
    }
    await passed;
  }

  async resume(queryId: string, after: number): Promise<Connection> {
    const options = { question: undefined, streaming: true, after };
    const connection = new Connection(options, (signal) =>
      this.request(`/ai/queries/${queryId}/events?after=${after}`, { signal }),
    );
    this.connections.push(connection);
    await connection.answered;
    return connection;
  }

  /** The response may need a delivery first; it is checked when it arrives. */
  cancel(queryId: string): CancelRequest {
    const cancel: CancelRequest = { queryId, answer: undefined };
    this.cancelled.add(queryId);
    this.cancels.push(cancel);
    const answered = async () => {
      const response = await this.request(`/ai/queries/${queryId}/cancel`, { method: "POST" });
      const { state } = await response.json<{ state?: string }>();
      cancel.answer = { status: response.status, state };
    };
    answered().catch(() => {
      cancel.answer = "lost";
    });
    return cancel;
  }

  /** The status of the response. A crash may cut it off after the write. */
  async deleteTexts(queryId: string): Promise<number> {
    this.deleted.add(queryId);
    const response = await this.request(`/ai/queries/${queryId}`, { method: "DELETE" });
    await response.text();
    if (response.status !== 204) this.deleted.delete(queryId);
    return response.status;
  }

  /** Another user tries everything possible with a query's id. */
  async trespass(queryId: string): Promise<void> {
    const name = `stranger-to-${this.name}`;
    const stranger = env.USERS.getByName(name);
    const attempts: [string, RequestInit][] = [
      [`/ai/queries/${queryId}`, {}],
      [`/ai/queries/${queryId}/events?after=1`, {}],
      [`/ai/queries/${queryId}/cancel`, { method: "POST" }],
      [`/ai/queries/${queryId}`, { method: "DELETE" }],
      ["/ai/feedback", { method: "POST", body: JSON.stringify({ queryId, rating: "up" }) }],
    ];
    for (const [path, init] of attempts) {
      const response = await stranger.fetch(this.#request(path, init, name));
      await response.text();
      if (response.status !== 404) {
        this.violations.push(`8: a stranger got ${response.status} from ${path}`);
      }
    }
    const written = await runInDurableObject(stranger, (_object, { storage }) =>
      storage.sql.exec("SELECT id FROM queries UNION SELECT window FROM windows").toArray(),
    );
    if (written.length > 0) this.violations.push(`8: a stranger has ${JSON.stringify(written)}`);
  }

  async post(path: string, body: unknown = {}, method = "POST"): Promise<void> {
    const response = await this.request(path, { method, body: JSON.stringify(body) });
    await response.text();
  }

  // --- Everything else ---

  /** Drives the model, unless it has already ended. */
  drive(call: Call, what: (call: Call) => void): Promise<void> {
    return this.inside(() => {
      if (call.state === "open") what(call);
    });
  }

  async alarm(): Promise<void> {
    await runInDurableObject(this.#stub, async (object, { storage }) => {
      if ((await storage.getAlarm()) === null) return;
      await storage.deleteAlarm();
      await object.alarm();
    });
  }

  /** Fires the timers of this time inside the object, which owns them. */
  pass(ms: number): Promise<void> {
    return this.inside(() => {
      vi.advanceTimersByTime(ms);
    });
  }

  /**
   * Half the grace. After each half a heartbeat must be accepted
   * before the next can pass.
   */
  passHalfGrace(): Promise<void> {
    return this.pass(GRACE_MS / 2);
  }

  passWait(): Promise<void> {
    return this.pass(RESUME_WAIT_MS + 1_000);
  }

  async passSilence(): Promise<void> {
    // In two halves, so that timers due midway fire midway.
    await this.pass(SILENCE_MS / 2);
    await this.pass(SILENCE_MS / 2);
  }

  /** An operator erases the user, who starts again. */
  async erase(): Promise<void> {
    await this.post(`/admin/users/${this.name}`, undefined, "DELETE");
    await this.#open();
    this.before = this.#nothing();
    this.orphans.clear();
    this.deleted.clear();
    this.forgottenKeys.clear();
  }

  /** Moves the clock without firing timers, like setting a machine's clock. */
  jump(where: "next window" | "back"): void {
    const now = Date.now();
    const midnight = DAY_MS * Math.ceil((now + 1) / DAY_MS);
    vi.setSystemTime(where === "back" ? now - BACK_MS : midnight + 1_000);
  }

  /** Long enough for one more event to reach the object. */
  turn(): Promise<void> {
    return this.inside(() => {});
  }

  /** The object is gone in the middle of its work, as after `kill -9`. */
  async crash(): Promise<void> {
    await abortAllDurableObjects();
    // The dead instance's timers are dropped; the time goes on.
    const now = Date.now();
    vi.clearAllTimers();
    vi.setSystemTime(now);
    for (const call of this.calls) if (call.state === "open") call.state = "aborted";
    this.survivors = this.connections.length;
    this.orphans.clear();
  }

  evict(): Promise<void> {
    return evictDurableObject(this.#stub);
  }

  breakStorage(): Promise<void> {
    return this.inside(({ sql }) => breakCounters(sql));
  }

  mendStorage(): Promise<void> {
    return this.inside(({ sql }) => mendCounters(sql));
  }

  /** From here on storage refuses writes. */
  async beginOutage(): Promise<void> {
    this.isOut = true;
    await this.inside(({ sql }) => refuseWrites(sql));
  }

  /**
   * The effects of an outage: an attempted write has reset the object,
   * as the runtime does. Reads must still work, and write nothing.
   */
  async applyOutage(): Promise<boolean> {
    await this.#settle();
    const crashed = await this.#crashIfWritten();
    const { rows } = await this.look();
    const paths = ["/ai/quota", "/ai/queries", ...rows.map(({ id }) => `/ai/queries/${id}`)];
    for (const path of paths) {
      const response = await this.request(path);
      await response.text();
      if (response.status !== 200) this.violations.push(`3: ${path} is ${response.status}`);
    }
    for (const { id, answer } of rows) {
      if (answer === null) continue;
      const response = await this.request(`/ai/queries/${id}/events`);
      if (!(await response.text()).includes('"done"')) {
        this.violations.push(`6: ${id} cannot be read in an outage`);
      }
    }
    if (await this.#crashIfWritten()) this.violations.push("4: reading has written in an outage");
    return crashed;
  }

  /** A few turns, enough for anything that needs no time. */
  async #settle(): Promise<void> {
    for (let turns = 0; turns < 8; turns += 1) await this.turn();
  }

  async #crashIfWritten(): Promise<boolean> {
    // A failed check is logged too; it is not a write.
    const isWrite = (words: string) => words.includes(OUT) && !words.includes("takes no writes");
    const index = this.complaints.findIndex(isWrite);
    if (index === -1) return false;
    this.complaints.length = 0;
    await this.crash();
    return true;
  }

  /** Rings the alarm once. In an outage it does not end before the outage. */
  async ring(): Promise<void> {
    const rung = this.alarm();
    rung.catch(() => {});
    if (this.isOut) await this.#settle();
    else await rung;
  }

  /** Storage accepts writes again, and a waiting alarm has time to see it. */
  async endOutage(): Promise<void> {
    await this.inside(({ sql }) => takeWrites(sql));
    this.isOut = false;
    await this.pass(LOOK_MS);
    await this.#settle();
    const live = await this.liveRuns();
    for (const { id, state } of (await this.look()).rows) {
      if (state === "reserved" && !live.has(id)) {
        this.violations.push(`4: ${id} is still reserved after an outage`);
      }
    }
  }

  // --- Looking ---

  get calls(): Call[] {
    return this.upstream.calls.filter(({ user }) => user === this.name);
  }

  /** The model's call for a query, once there is one. */
  call(queryId: string): Call | undefined {
    return this.calls.find((call) => call.queryId === queryId);
  }

  inside<T>(what: (storage: DurableObjectStorage) => T): Promise<T> {
    return runInDurableObject(this.#stub, (_object, { storage }) => what(storage));
  }

  look(): Promise<Snapshot> {
    return runInDurableObject(this.#stub, async (object, { storage }) => {
      const alarmAt = await storage.getAlarm();
      const quota: Quota = await (await object.fetch(this.#request("/ai/quota"))).json();
      return { ...takeSnapshot(storage.sql, this.before.last, this.settings), alarmAt, quota };
    });
  }

  /** The reservations that have a run, according to the object. */
  liveRuns(): Promise<Set<string>> {
    return runInDurableObject(this.#stub, async (object) => {
      const response = await object.fetch(this.#request(`/admin/users/${this.name}`));
      const { reservations } = await response.json<{
        reservations: { queryId: string; live: boolean }[];
      }>();
      return new Set(reservations.filter(({ live }) => live).map(({ queryId }) => queryId));
    });
  }

  /** The open connections to a query. */
  readers(id: string, question: string | null): Connection[] {
    return this.connections.filter(
      ({ isOpen, queryId, question: asked }) =>
        isOpen &&
        (queryId === undefined ? asked === question && !this.orphans.has(id) : queryId === id),
    );
  }

  /** The connections that have ended since the last call. */
  takeEnded(): Connection[] {
    const ended = this.connections.filter((one) => !one.isOpen && !this.#ended.has(one));
    for (const connection of ended) this.#ended.add(connection);
    return ended;
  }

  /** From here on, journal entries are new. */
  remember(snapshot: Snapshot): void {
    this.before = snapshot;
    this.cancels = this.cancels.filter(({ answer }) => answer === undefined);
    this.complaints.length = 0;
    this.cancelled.clear();
    this.latest = Math.max(this.latest, snapshot.now);
  }

  /** Whether a model has failed whose query is still reserved. */
  get hasFailedOrphan(): boolean {
    return [...this.orphans].some((id) => this.call(id)?.state === "failed");
  }

  /** Runs inside the object, before the model answers. */
  #called(call: Call): void {
    const { user, question } = call;
    if (user !== this.name) {
      this.violations.push(`7: the model was asked for ${user}, who is long gone`);
      return;
    }
    const [row] =
      this.#storage?.sql
        .exec<{ id: string }>(
          "SELECT id FROM queries WHERE state = 'reserved' AND query = ? ORDER BY number DESC LIMIT 1",
          question,
        )
        .toArray() ?? [];
    if (row === undefined) {
      this.violations.push(`7: the model was asked "${question}" without a reservation`);
    } else if (this.call(row.id) !== undefined) {
      this.violations.push(`7: the model was asked "${question}" twice for one reservation`);
    } else call.queryId = row.id;
  }
}
