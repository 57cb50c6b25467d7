// What users do until the server is killed: random asks.
// Some are closed, stopped, continued or failed by the model.
// Each step is recorded as its user has seen it.

import { API_PREFIX, type OnDisconnect, type Receipt } from "../../src/protocol.ts";
import { type Directive, scripted } from "./directive.ts";
import { nthToken } from "./event-stream.ts";
import type { Random } from "./random.ts";
import { ask, type Exchange, request } from "./socket-client.ts";

/** What a user will do with one ask. */
export interface Plan {
  readonly kind: "stays" | "leaves" | "keeps" | "stops" | "is failed";
  readonly script: Directive;
  readonly streaming: boolean;
  readonly onDisconnect: OnDisconnect;
  /** Sent as the Idempotency-Key, and again after a kill. */
  readonly key: string | undefined;
  /** Tokens before the user leaves or stops; 0 is on `start`. */
  readonly after: number;
  readonly by: "close" | "reset";
}

export const STEPS = [
  "no response yet",
  "no token yet",
  "tokens flow",
  "last token read",
  "first ping of the probe read",
  "second ping of the probe read",
  "`done` read",
  "left or stopped",
  "failed by the model",
] as const;

/** An ask's progress as its user sees it. JSON shows only some of these. */
export type Step = (typeof STEPS)[number];

/** Half of all asks are short answers, read to the end. */
export function drawPlan(random: Random): Plan {
  const stays: Plan = {
    kind: "stays",
    script: {
      tokens: random.whole(1, 12),
      gapMs: random.whole(0, 12),
      endMs: random.pick([0, 0, random.whole(1, 20)]),
    },
    streaming: random.chance(0.75),
    onDisconnect: random.pick(["cancel", "cancel", "wait", "continue"]),
    key: undefined,
    after: random.whole(0, 6),
    by: random.pick(["close", "reset"]),
  };
  const stream = { ...stays, streaming: true };
  // Far too long to end before its user leaves or stops it.
  const endless = { tokens: 1_000, gapMs: random.whole(5, 15) };
  const roll = random.next();
  if (roll < 0.3) {
    const onDisconnect = random.pick(["cancel", "cancel", "wait"] as const);
    return { ...stream, kind: "leaves", script: endless, onDisconnect };
  }
  if (roll < 0.38) {
    const script = { tokens: 12, gapMs: 5 };
    return { ...stream, kind: "keeps", script, onDisconnect: "continue" };
  }
  if (roll < 0.44) return { ...stream, kind: "stops", script: endless };
  if (roll < 0.5) {
    const fault = random.pick(["cut", "error", "end"] as const);
    return { ...stays, kind: "is failed", script: { ...stays.script, fault, at: 1 } };
  }
  return { ...stays, key: random.chance(0.4) ? crypto.randomUUID() : undefined };
}

/** One ask in progress. */
export class Part {
  readonly plan: Plan;
  readonly token: string;
  /** Part of the question, so also of the receipt and the model's record. */
  readonly tag: string;
  readonly exchange: Exchange;
  /** The receipt that confirmed a stop. */
  stopped: Receipt | undefined;
  #left = false;

  /** A repeated ask keeps its tag, and therefore its body. */
  constructor(url: string, token: string, plan: Plan, tag: string = crypto.randomUUID()) {
    this.plan = plan;
    this.token = token;
    this.tag = tag;
    this.exchange = ask(url, {
      token,
      streaming: plan.streaming,
      body: { query: scripted({ ...plan.script, tag }), onDisconnect: plan.onDisconnect },
      ...(plan.key !== undefined && { headers: { "idempotency-key": plan.key } }),
    });
    // The kill may cut it short anywhere.
    this.#act(url).catch(() => {});
  }

  async #act(url: string): Promise<void> {
    const { kind, after, by } = this.plan;
    if (kind === "stays" || kind === "is failed") return;
    await (after === 0 ? this.exchange.until("start") : this.exchange.until(nthToken(after)));
    this.#left = true;
    if (kind === "stops") {
      const path = `${API_PREFIX}/ai/queries/${this.queryId}/cancel`;
      const options = { method: "POST", token: this.token };
      const { status, body } = await request<Receipt>(`${url}${path}`, options);
      if (status === 200) this.stopped = body;
    } else {
      this.exchange[by]();
    }
  }

  /** Resolves at a random moment that its user can see, or at its end. */
  async moment(random: Random): Promise<void> {
    const { exchange, plan } = this;
    const secondPing = () => exchange.until(() => this.#pings() === 2);
    const moment = random.pick<() => Promise<unknown>>([
      () => exchange.untilSent(),
      () => exchange.untilHeaders(),
      () => exchange.until("start"),
      () => exchange.until(nthToken(random.whole(1, 6))),
      () => exchange.until(nthToken(Number(plan.script.tokens))),
      () => exchange.until("ping"),
      // A reservation becomes a charge here: chosen more often.
      secondPing,
      secondPing,
      secondPing,
      () => exchange.until("done"),
      () => exchange.untilEnd(),
    ]);
    await moment().catch(() => {});
  }

  /** Undefined until the response begins. */
  get queryId(): string | undefined {
    return this.exchange.headers["x-query-id"];
  }

  /** Whether the user has read a whole answer to its end. */
  get delivered(): boolean {
    const { status, events, text } = this.exchange;
    if (this.plan.streaming) return events.at(-1)?.type === "done";
    return status === 200 && /^ *\{.*\}$/s.test(text);
  }

  /** Whether a stored answer was read: it is free and resolves nothing. */
  get replayed(): boolean {
    return this.exchange.headers["idempotency-replayed"] === "true";
  }

  get step(): Step {
    const { status, events } = this.exchange;
    if (this.#left) return "left or stopped";
    if (this.delivered) return "`done` read";
    if (status === undefined) return "no response yet";
    if (status !== 200 || events.at(-1)?.type === "error") return "failed by the model";
    if (this.#pings() > 1) return "second ping of the probe read";
    if (this.#pings() > 0) return "first ping of the probe read";
    const tokens = events.filter(({ type }) => type === "token").length;
    if (tokens === this.plan.script.tokens) return "last token read";
    return tokens > 0 ? "tokens flow" : "no token yet";
  }

  /** No silence is long enough for other pings. In JSON each is one space. */
  #pings(): number {
    const { events, text } = this.exchange;
    if (!this.plan.streaming) return text.length;
    return events.filter(({ type }) => type === "ping").length;
  }
}
