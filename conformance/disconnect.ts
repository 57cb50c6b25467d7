// A user who asks, disconnects before the end, and checks what it cost.

import type { Quota, Receipt, StreamEvent } from "../src/protocol.ts";
import type { Caller } from "./caller.ts";
import { movement, REFUNDED } from "./cost.ts";
import type { Exchange } from "./exchange.ts";
import { expect, expectSame, Mismatch, Skipped } from "./expectation.ts";
import { begunStream } from "./stream.ts";

export interface Disconnect {
  readonly exchange: Exchange;
  readonly receipt: Receipt;
  /** The type of the last event before it: Chat Completions have none. */
  readonly on: StreamEvent["type"] | undefined;
  /** From the disconnect until the receipt showed it, in milliseconds. */
  readonly seenAfterMs: number;
  /** The answer was complete or nearly so: it proves nothing. */
  readonly tooLate: boolean;
  readonly before: Quota;
  readonly after: Quota;
}

/** Why a row is skipped if it could not disconnect in time. */
export const TOO_FAST = "the answer ended before the disconnect";

const TRIES_MAX = 3;
/**
 * Before `done` a deployment checks the connection twice, then waits half of
 * DELIVERY_HOLD_MS (250). A disconnect in that time may be charged.
 */
const LAST_CHECK_MS = 125;

/** In the middle of an answer in our own events. */
export function inTheMiddle({ type }: StreamEvent): boolean {
  return /^(token|ping|done|error)$/.test(type);
}

/** Asks over any surface, and disconnects on an event: by default the first. */
export async function disconnect(
  caller: Caller,
  ask: () => Exchange,
  isTime: (event: StreamEvent) => boolean = () => true,
): Promise<Disconnect> {
  const calledAt = Date.now();
  const before = await caller.quota();
  const calledMs = Date.now() - calledAt;
  const exchange = ask();
  const queryId = await begunStream(exchange);
  await exchange.untilEvent(isTime);
  const disconnectedAt = Date.now();
  exchange.disconnect();

  const last = exchange.events.at(-1);
  if (last === undefined || last.type === "error" || "error" in last) {
    throw new Mismatch(`an answer failed before the disconnect: ${JSON.stringify(last)}`);
  }
  const receipt = await caller.resolved(queryId);
  const seenAfterMs = Date.now() - disconnectedAt;
  const stayedMs = disconnectedAt - exchange.firstEventAt;
  const tooLate = last.type === "done" || isTooLate(receipt, stayedMs + calledMs);
  const after = await caller.quota();
  return { exchange, receipt, on: last.type, seenAfterMs, tooLate, before, after };
}

/** Whether an answer was complete, or nearly so, after this time. */
function isTooLate({ answer, askedAt, resolvedAt }: Receipt, stayedMs: number): boolean {
  // Two clocks: each is compared with itself only.
  const tookMs = Date.parse(resolvedAt ?? "") - Date.parse(askedAt);
  // Only an answer that was completed is kept, charged or not.
  return answer !== null && tookMs < stayedMs + LAST_CHECK_MS;
}

/** Tries again, on the first event, if it was too late. */
export async function disconnectInTime(
  caller: Caller,
  ask: () => Exchange,
  isTime?: (event: StreamEvent) => boolean,
): Promise<Disconnect | undefined> {
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const made = await disconnect(caller, ask, tries === 1 ? isTime : undefined);
    if (!made.tooLate) return made;
  }
  return undefined;
}

/** Nothing was charged, and exactly one refund was counted. */
export function expectRefunded({ receipt, before, after }: Disconnect): void {
  const { state, reason, answer } = receipt;
  expectSame([state, reason], ["refunded", "disconnected"], "state and reason");
  expect(answer === null, "part of an answer is kept");
  expectSame(movement(before, after), REFUNDED, "the movement");
  expectSame(after.remaining, before.remaining, "remaining");
  expectSame(after.refundsLeft, Math.max(0, before.refundsLeft - 1), "refundsLeft");
}

/** A disconnect that must be refunded, and what a row says of it. */
export async function refunded(
  caller: Caller,
  ask: () => Exchange,
  isTime?: (event: StreamEvent) => boolean,
): Promise<Disconnect & { readonly detail: string }> {
  const made = await disconnectInTime(caller, ask, isTime);
  if (made === undefined) throw new Skipped(TOO_FAST);
  expectRefunded(made);
  const again = await caller.call("GET", `/ai/queries/${made.receipt.queryId}/events`);
  expectSame(again.status, 410, "the status of its events");
  const on = made.on ?? "a chunk";
  return { ...made, detail: `disconnected on ${on}, refunded within ${made.seenAfterMs} ms` };
}
