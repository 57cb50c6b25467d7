// Every way in which a client leaves an answer, or only seems to, at every moment of it: what the model
// does, when the client acts, and what has to become of the ask on either server.

import { setTimeout as sleep } from "node:timers/promises";
import { vi } from "vitest";
import type { StreamEvent } from "../../src/protocol.ts";
import type { Directive, ModelRequest } from "./directive.ts";
import type { Exchange } from "./socket-client.ts";

/**
 * `cut`: refunded, and the model was stopped. `refunded`: the same, but the model had ended by itself.
 * `refused`: with 408, for a body that was late. `nothing`: no answer of ours. Both reserved nothing.
 */
export type Outcome = "charged" | "cut" | "refunded" | "refused" | "nothing";

export interface Departure {
  readonly by: "close" | "reset" | "half-close" | "stop reading" | "stop sending" | "slow body";
  readonly when: string;
  readonly streaming: boolean;
  readonly script: Directive;
  /** The body is announced to be longer than it is. */
  readonly unfinished?: boolean;
  /** Resolves when it is time to act. */
  readonly until: (exchange: Exchange, record: () => ModelRequest | undefined) => Promise<unknown>;
  /**
   * Which outcomes are right; more than one only where two things race, which a comment names. Without
   * any, none is promised on that server, but that the books balance and nothing goes on upstream.
   */
  readonly becomes: Readonly<Partial<Record<"serve" | "start", readonly Outcome[]>>>;
  /** Only without distance. */
  readonly near?: boolean;
}

type Moment = Omit<Departure, "by" | "becomes">;

const sent = (exchange: Exchange) => exchange.untilSent();
const start = (exchange: Exchange) => exchange.until("start");
const token = (n: number) => (exchange: Exchange) =>
  exchange.until((event: StreamEvent) => event.type === "token" && event.token === `w${n - 1} `);
/** So many pings have come after the nth token; 0: after `start`. */
const pings =
  (count: number, { afterToken }: { afterToken: number }) =>
  (exchange: Exchange) =>
    exchange.until(() => {
      const types = exchange.events
        .map(({ type }) => type)
        .filter((type) => /token|ping/.test(type));
      const tokens = types.filter((type) => type === "token").length;
      return tokens === afterToken && types.length - 1 - types.lastIndexOf("token") >= count;
    });
/** For JSON, of which nothing is to be seen before it is whole: the model has sent so many tokens. */
const modelSent =
  (tokens: number): Departure["until"] =>
  (_, record) =>
    vi.waitUntil(() => (record()?.tokensSent ?? -1) >= tokens, { timeout: 5_000, interval: 5 });
/** The pings of a JSON answer are white space, one byte each. */
const spaces = (count: number) => (exchange: Exchange) => exchange.untilLength(count);

const SHORT = { tokens: 5, gapMs: 20 };
const LONG = { tokens: 400, gapMs: 20 };
/** 1,000,000 bytes that are six times as long on the wire, since JSON escapes each. */
const HUGE = {
  tokens: Array.from({ length: 125 }, (_, n) => (n === 0 ? "w" : "\u0000")),
  tokenLength: 8_000,
};

/** Both modes at the same moment. */
function inBothModes(moment: Omit<Moment, "streaming">): Moment[] {
  return [true, false].map((streaming) => ({ ...moment, streaming }));
}

const inTheBody = inBothModes({
  when: "in the middle of its body",
  script: SHORT,
  unfinished: true,
  until: sent,
});

const beforeTheResponse: Moment = {
  when: "before the response",
  streaming: true,
  script: { tokens: 50, gapMs: 20 },
  until: sent,
};

/** Of a stream, while the model is at it. */
const whileItIsWritten: readonly Moment[] = [
  { when: "on `start`", script: { fault: "hang-before-headers" }, until: start },
  {
    when: "in the silence before the first token",
    script: { fault: "hang", at: 0 },
    until: pings(1, { afterToken: 0 }),
  },
  { when: "on the first token", script: LONG, until: token(1) },
  { when: "between tokens", script: LONG, until: token(10) },
  {
    when: "in a silence between tokens",
    script: { tokens: 10, fault: "hang", at: 5 },
    until: pings(1, { afterToken: 5 }),
  },
  {
    when: "after the last token, which the model does not end",
    script: { tokens: 5, ending: ["hang"] },
    until: token(5),
  },
].map((moment) => ({ ...moment, streaming: true }) as Moment);

/** Of JSON, likewise. The model ends by itself, or who is not seen before would be waited for. */
const whileItIsCollected: readonly Moment[] = [
  {
    when: "in the silence before the first token",
    script: { ...SHORT, headersMs: 600 },
    until: modelSent(0),
  },
  { when: "between tokens", script: { tokens: 35, gapMs: 20 }, until: modelSent(5) },
  {
    when: "between the last token and its end",
    script: { ...SHORT, endMs: 600 },
    until: modelSent(5),
  },
].map((moment) => ({ ...moment, streaming: false }));

/** Too short a silence for a ping: only those before `done` can tell of a close. */
const beforeTheEnd: Moment = {
  when: "between the last token and its end",
  streaming: true,
  script: { ...SHORT, endMs: 250 },
  until: token(5),
};

/** The model ends at once, so that the first ping before the end is under way already. */
const onTheLastToken: Moment = {
  when: "on the last token",
  streaming: true,
  script: SHORT,
  until: token(5),
};

const onPing = (n: 1 | 2): Moment[] =>
  inBothModes({
    when: `on the ${n === 1 ? "first" : "second"} ping before the end`,
    script: SHORT,
    until: sent,
  }).map((moment) => ({
    ...moment,
    until: moment.streaming ? pings(n, { afterToken: 5 }) : spaces(n),
  }));

const onceItIsWhole: readonly Moment[] = [
  {
    when: "on reading `done`",
    script: SHORT,
    streaming: true,
    until: (exchange: Exchange) => exchange.until("done"),
  },
  {
    when: "on reading the answer",
    script: SHORT,
    streaming: false,
    until: (exchange: Exchange) => exchange.untilEnd(),
  },
].flatMap((moment) => [
  moment,
  {
    ...moment,
    when: moment.when.replace("on reading", "after"),
    until: async (exchange: Exchange) => {
      await moment.until(exchange);
      await sleep(50);
    },
  },
]);

/** What neither a half-close nor a reader that stops may change anything about. */
const whileNothingIsAmiss: readonly Moment[] = [
  ...inBothModes({ ...beforeTheResponse, script: SHORT }),
  {
    when: "in the silence before the first token",
    streaming: true,
    script: { ...SHORT, firstMs: 1_000 },
    until: pings(1, { afterToken: 0 }),
  },
  { when: "between tokens", streaming: true, script: SHORT, until: token(2) },
  { when: "between tokens", streaming: false, script: SHORT, until: modelSent(2) },
  ...onPing(1),
];

const hugeAnswer = inBothModes({ when: "of a huge answer", script: HUGE, until: sent });

/** The same leaving, at each of these moments. */
function leaving(
  by: Departure["by"],
  becomes: Departure["becomes"] | Outcome,
  ...moments: readonly Moment[]
): Departure[] {
  const either = typeof becomes === "string" ? { serve: [becomes], start: [becomes] } : becomes;
  return moments.map((moment) => ({ ...moment, by, becomes: either }));
}

/** Behind the proxy that adds distance, which reads all that the client does not, there is nothing to see. */
function near(departure: Departure): Departure {
  return { ...departure, near: true };
}

export const DEPARTURES: readonly Departure[] = [
  ...leaving("stop sending", "refused", ...inTheBody),
  // What is still being sent when the refusal closes the connection resets it, and a reset can overtake
  // what there is to read: of the client, and of the proxies of `wrangler dev`.
  ...leaving(
    "slow body",
    { serve: ["refused", "nothing"], start: ["refused", "nothing"] },
    ...inTheBody,
  ),
  ...leaving("close", "nothing", ...inTheBody.slice(0, 1)),
  ...leaving("reset", "nothing", ...inTheBody.slice(0, 1)),

  ...leaving("close", "cut", beforeTheResponse, ...whileItIsWritten),
  // Nothing tells of a close while nothing is written, so the model of a JSON answer is never stopped.
  ...leaving("close", "refunded", beforeTheEnd, ...whileItIsCollected),
  // One write succeeds after a close, and of the two hops of `wrangler dev` each swallows one: who
  // closes after the first ping before the end is seen here by the second, and there by nothing. On the
  // last token the close and that ping pass each other.
  ...leaving("close", { serve: ["refunded"], start: ["refunded", "charged"] }, onTheLastToken),
  ...leaving("close", { serve: ["refunded"], start: ["charged"] }, ...onPing(1)),
  ...leaving("close", "charged", ...onPing(2), ...onceItIsWhole),

  // A reset that overtakes the request leaves nothing to be seen. What comes before the response the
  // proxy of `wrangler dev` keeps to itself, for a while or for ever.
  ...leaving("reset", { serve: ["cut", "nothing"] }, beforeTheResponse),
  ...leaving("reset", "cut", ...whileItIsWritten),
  // The reset and the model's end race. The proxy of `wrangler dev` hears of a reset when it writes.
  ...leaving("reset", { serve: ["cut", "refunded"], start: ["refunded"] }, beforeTheEnd),
  // On a busy machine the model may be stopped between its last token and its end.
  ...leaving("reset", { serve: ["refunded", "cut"], start: ["refunded", "cut"] }, onTheLastToken),
  ...leaving("reset", "refunded", ...onPing(1)),
  // Of JSON that is all of the time, and it is a race whether the proxy finds out as the answer begins.
  ...leaving("reset", { serve: ["cut"], start: ["charged", "refunded"] }, ...whileItIsCollected),
  ...leaving("reset", { serve: ["refunded"], start: ["charged"] }, ...onPing(2)),
  ...leaving("reset", "charged", ...onceItIsWhole),

  ...leaving("half-close", "charged", ...whileNothingIsAmiss),

  // All of a short answer lies in the client's own kernel by then.
  ...leaving("stop reading", "charged", ...whileNothingIsAmiss).map(near),
  // The longest answer that there can be fills the kernels' buffers, but not those of two hops.
  ...leaving("stop reading", { serve: ["refunded"], start: ["charged"] }, ...hugeAnswer).map(near),
];
