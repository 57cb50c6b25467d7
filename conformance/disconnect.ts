// A user who asks, disconnects before the end, and checks what it cost.

import type { OnDisconnect, Quota, Receipt, StreamEvent } from "../src/protocol.ts";
import { type Caller, movement } from "./caller.ts";
import { expect, expectSame, Mismatch } from "./expectation.ts";
import { begun, soFar } from "./stream.ts";

export interface Disconnect {
  readonly receipt: Receipt;
  /** The last event before it. */
  readonly on: StreamEvent["type"];
  /** From the disconnect until the receipt showed it, in milliseconds. */
  readonly seenAfterMs: number;
  /** The answer was complete or nearly so: it proves nothing. */
  readonly tooLate: boolean;
  readonly before: Quota;
  readonly after: Quota;
}

export interface DisconnectOptions {
  readonly onDisconnect?: OnDisconnect;
  /** On `start` instead of the first token or ping. */
  readonly atOnce?: boolean;
}

/** Why a row is skipped if it could not disconnect in time. */
export const TOO_FAST = "the answer ended before the disconnect";

const TRIES_MAX = 3;
/**
 * Before `done` a deployment checks the connection twice, then waits half of
 * DELIVERY_HOLD_MS (250). A disconnect in that time may be charged.
 */
const LAST_CHECK_MS = 125;

export async function disconnect(
  caller: Caller,
  query: string,
  { onDisconnect = "cancel", atOnce = false }: DisconnectOptions = {},
): Promise<Disconnect> {
  const calledAt = Date.now();
  const before = await caller.quota();
  const calledMs = Date.now() - calledAt;
  const asked = caller.ask(query, { onDisconnect });
  const queryId = await begun(asked);
  const enough = atOnce ? /./ : /^(token|ping|done|error)$/;
  await asked.untilEvent(({ type }) => enough.test(type));
  const disconnectedAt = Date.now();
  asked.disconnect();

  const last = soFar(asked).at(-1);
  if (last === undefined || last.type === "error") {
    throw new Mismatch(`an answer failed before the disconnect: ${JSON.stringify(last)}`);
  }
  const receipt = await caller.resolved(queryId);
  const seenAfterMs = Date.now() - disconnectedAt;
  const stayedMs = disconnectedAt - asked.firstEventAt;
  const tooLate = last.type === "done" || isTooLate(receipt, stayedMs + calledMs);
  return { receipt, on: last.type, seenAfterMs, tooLate, before, after: await caller.quota() };
}

/** Whether an answer was complete, or nearly so, after this time. */
export function isTooLate({ answer, askedAt, resolvedAt }: Receipt, stayedMs: number): boolean {
  // Two clocks: each is compared with itself only.
  const tookMs = Date.parse(resolvedAt ?? "") - Date.parse(askedAt);
  // Only an answer that was completed is kept, charged or not.
  return answer !== null && tookMs < stayedMs + LAST_CHECK_MS;
}

/** Tries again, sooner, if it was too late. */
export async function disconnectInTime(
  caller: Caller,
  query: string,
  { atOnce = false }: DisconnectOptions = {},
): Promise<Disconnect | undefined> {
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const made = await disconnect(caller, query, { atOnce: atOnce || tries > 1 });
    if (!made.tooLate) return made;
  }
  return undefined;
}

/** Nothing was charged, and exactly one refund was counted. */
export function expectRefunded({ receipt, before, after }: Disconnect): void {
  const { state, reason, answer } = receipt;
  expectSame([state, reason], ["refunded", "disconnected"], "state and reason");
  expect(answer === null, "part of an answer is kept");
  expectSame(movement(before, after), { reserved: 0, charged: 0, refunded: 1 }, "the movement");
  expectSame(after.remaining, before.remaining, "remaining");
  expectSame(after.refundsLeft, Math.max(0, before.refundsLeft - 1), "refundsLeft");
}
