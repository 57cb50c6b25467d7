// Every way a client disconnects, or only seems to, at every moment:
// what the model does, when the client acts,
// and the outcome of the ask on either server.

import { setTimeout as sleep } from "node:timers/promises";
import { vi } from "vitest";
import { type Directive, HUGE, type ModelRequest } from "./directive.ts";
import { nthToken } from "./event-stream.ts";
import type { Exchange } from "./socket-client.ts";

/**
 * `cut`: refunded, and the model was stopped.
 * `refunded`: refunded, but the model had already ended.
 * `refused`: 408 for a late body. `nothing`: no response of ours.
 * The last two reserve nothing.
 */
export type Outcome = "charged" | "cut" | "refunded" | "refused" | "nothing";

export interface Disconnect {
  readonly by: "close" | "reset" | "half-close" | "stop reading" | "stop sending" | "slow body";
  readonly when: string;
  readonly streaming: boolean;
  readonly script: Directive;
  /** The announced body is longer than the one that is sent. */
  readonly unfinished?: boolean;
  /** Resolves when it is time to act. */
  readonly until: (exchange: Exchange, record: () => ModelRequest | undefined) => Promise<unknown>;
  /**
   * The right outcomes. Several only where two things race,
   * as a comment explains. Without any for a server, none is promised,
   * except that the books balance and no model goes on.
   */
  readonly becomes: Readonly<Partial<Record<"serve" | "start", readonly Outcome[]>>>;
  /** Only without added distance. */
  readonly near?: boolean;
}

type Moment = Omit<Disconnect, "by" | "becomes">;

const sent = (exchange: Exchange) => exchange.untilSent();
const start = (exchange: Exchange) => exchange.until("start");
const token = (n: number) => (exchange: Exchange) => exchange.until(nthToken(n));
/** This many pings after the nth token; 0 is after `start`. */
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
/**
 * For JSON, which shows nothing before it is whole:
 * the model has sent this many tokens.
 */
const modelSent =
  (tokens: number): Disconnect["until"] =>
  (_, record) =>
    vi.waitUntil(() => (record()?.tokensSent ?? -1) >= tokens, { timeout: 5_000, interval: 5 });
/** Pings of a JSON answer are spaces, one byte each. */
const spaces = (count: number) => (exchange: Exchange) => exchange.untilLength(count);

const SHORT = { tokens: 5, gapMs: 20 };
const LONG = { tokens: 400, gapMs: 20 };

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

/** Moments of a stream while the model is at work. */
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

/**
 * The same for JSON. The model ends by itself:
 * an unseen disconnect would otherwise have to be waited for.
 */
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

/**
 * The silence is too short for a ping:
 * only the pings before `done` can reveal a close.
 */
const beforeTheEnd: Moment = {
  when: "between the last token and its end",
  streaming: true,
  script: { ...SHORT, endMs: 250 },
  until: token(5),
};

/** The model ends at once, so the first ping before `done` is on its way. */
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

/** Moments at which a half-close or a paused reader changes nothing. */
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

/** The same disconnect at each of these moments. */
function disconnects(
  by: Disconnect["by"],
  becomes: Disconnect["becomes"] | Outcome,
  ...moments: readonly Moment[]
): Disconnect[] {
  const either = typeof becomes === "string" ? { serve: [becomes], start: [becomes] } : becomes;
  return moments.map((moment) => ({ ...moment, by, becomes: either }));
}

/**
 * The delaying proxy reads what the client does not,
 * so behind it nothing can be seen.
 */
function near(disconnect: Disconnect): Disconnect {
  return { ...disconnect, near: true };
}

export const DISCONNECTS: readonly Disconnect[] = [
  ...disconnects("stop sending", "refused", ...inTheBody),
  // When the refusal closes the connection, bytes still being sent reset it.
  // That reset can overtake the response, for the client
  // and for the proxies of `wrangler dev`.
  ...disconnects(
    "slow body",
    { serve: ["refused", "nothing"], start: ["refused", "nothing"] },
    ...inTheBody,
  ),
  ...disconnects("close", "nothing", ...inTheBody.slice(0, 1)),
  ...disconnects("reset", "nothing", ...inTheBody.slice(0, 1)),

  ...disconnects("close", "cut", beforeTheResponse, ...whileItIsWritten),
  // A close shows only on a write, so a JSON answer's model is never stopped.
  ...disconnects("close", "refunded", beforeTheEnd, ...whileItIsCollected),
  // One write succeeds after a close, and each of the two hops of
  // `wrangler dev` swallows one. A close after the first ping is therefore
  // seen by the second here, and not at all there.
  // On the last token the close and the ping cross.
  ...disconnects("close", { serve: ["refunded"], start: ["refunded", "charged"] }, onTheLastToken),
  ...disconnects("close", { serve: ["refunded"], start: ["charged"] }, ...onPing(1)),
  ...disconnects("close", "charged", ...onPing(2), ...onceItIsWhole),

  // A reset that overtakes the request leaves nothing to be seen.
  // The proxy of `wrangler dev` keeps an early reset to itself,
  // for a while or for ever.
  ...disconnects("reset", { serve: ["cut", "nothing"] }, beforeTheResponse),
  ...disconnects("reset", "cut", ...whileItIsWritten),
  // The reset and the model's end race.
  // The proxy of `wrangler dev` notices a reset when it writes.
  ...disconnects("reset", { serve: ["cut", "refunded"], start: ["refunded"] }, beforeTheEnd),
  // On a busy machine the model may be stopped before its end.
  ...disconnects(
    "reset",
    { serve: ["refunded", "cut"], start: ["refunded", "cut"] },
    onTheLastToken,
  ),
  ...disconnects("reset", "refunded", ...onPing(1)),
  // Of JSON that is the whole time.
  // Whether the proxy notices as the answer begins is a race.
  ...disconnects(
    "reset",
    { serve: ["cut"], start: ["charged", "refunded"] },
    ...whileItIsCollected,
  ),
  ...disconnects("reset", { serve: ["refunded"], start: ["charged"] }, ...onPing(2)),
  ...disconnects("reset", "charged", ...onceItIsWhole),

  ...disconnects("half-close", "charged", ...whileNothingIsAmiss),

  // By then the client's own kernel holds all of a short answer.
  ...disconnects("stop reading", "charged", ...whileNothingIsAmiss).map(near),
  // The longest possible answer fills the kernels' buffers,
  // but not those of two hops.
  ...disconnects("stop reading", { serve: ["refunded"], start: ["charged"] }, ...hugeAnswer).map(
    near,
  ),
];
