// A leaver: somebody who asks, leaves before the end, and looks what it cost them.

import type { OnDisconnect, Quota, Receipt, StreamEvent } from "../src/protocol.ts";
import { type Caller, movement } from "./caller.ts";
import { expect, expectSame, Mismatch } from "./expectation.ts";
import { begun, untilLeft } from "./stream.ts";

export interface Leaving {
  readonly receipt: Receipt;
  /** The last event that they read. */
  readonly on: StreamEvent["type"];
  /** From leaving until the receipt showed it, in milliseconds. */
  readonly seenAfterMs: number;
  /** Whether the answer was over, or going out for the last time, when they left: it proves nothing. */
  readonly tooLate: boolean;
  readonly before: Quota;
  readonly after: Quota;
}

export interface LeaverOptions {
  readonly onDisconnect?: OnDisconnect;
  /** On `start`, rather than on the first token or ping. */
  readonly atOnce?: boolean;
}

const TRIES_MAX = 3;
/**
 * Before `done` a deployment looks twice whether anybody is there, and by default half of 250 ms passes
 * after the second look: who leaves then, or while `done` is on its way, may be charged.
 */
const LAST_LOOK_MS = 125;

export async function leave(
  caller: Caller,
  query: string,
  { onDisconnect = "cancel", atOnce = false }: LeaverOptions = {},
): Promise<Leaving> {
  const calledAt = Date.now();
  const before = await caller.quota();
  const calledMs = Date.now() - calledAt;
  const asked = caller.ask(query, { onDisconnect });
  const queryId = await begun(asked);
  const enough = atOnce ? /./ : /^(token|ping|done|error)$/;
  await asked.untilEvent(({ type }) => enough.test(type));
  const leftAt = Date.now();
  asked.leave();

  const last = untilLeft(asked).at(-1);
  if (last === undefined || last.type === "error") {
    throw new Mismatch(`an answer failed before it could be left: ${JSON.stringify(last)}`);
  }
  const receipt = await caller.resolved(queryId);
  const seenAfterMs = Date.now() - leftAt;
  // Two clocks, each compared with itself alone.
  const tookMs = Date.parse(receipt.resolvedAt ?? "") - Date.parse(receipt.askedAt);
  const stayedMs = leftAt - asked.firstEventAt;
  const charged = receipt.state === "charged";
  const tooLate = last.type === "done" || (charged && tookMs < stayedMs + LAST_LOOK_MS + calledMs);
  return { receipt, on: last.type, seenAfterMs, tooLate, before, after: await caller.quota() };
}

/** Leaves again, and sooner, while it is too late; undefined if it always is. */
export async function leaveInTime(
  caller: Caller,
  query: string,
  { atOnce = false }: LeaverOptions = {},
): Promise<Leaving | undefined> {
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const leaving = await leave(caller, query, { atOnce: atOnce || tries > 1 });
    if (!leaving.tooLate) return leaving;
  }
  return undefined;
}

/** Nothing was charged, the quota is what it was, and there is exactly one refund more. */
export function expectRefunded({ receipt, before, after }: Leaving): void {
  const { state, reason, answer } = receipt;
  expectSame([state, reason], ["refunded", "disconnected"], "state and reason");
  expect(answer === null, "a part of an answer is kept");
  expectSame(movement(before, after), { reserved: 0, charged: 0, refunded: 1 }, "the movement");
  expectSame(after.remaining, before.remaining, "remaining");
  expectSame(after.refundsLeft, Math.max(0, before.refundsLeft - 1), "refundsLeft");
}
