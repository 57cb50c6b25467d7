// What an ask costs, as the quota's counters show it.

import type { Quota } from "../src/protocol.ts";
import type { Deployment } from "./deployment.ts";
import { expect, expectSame } from "./expectation.ts";

export const CHARGED = { reserved: 0, charged: 1, refunded: 0 };
export const REFUNDED = { reserved: 0, charged: 0, refunded: 1 };
export const NOTHING = { reserved: 0, charged: 0, refunded: 0 };

/** The change of a quota's counters. */
export function movement(before: Quota, after: Quota) {
  expect(before.resetsAt === after.resetsAt, "the quota's window ended meanwhile: run it again");
  return {
    reserved: after.reserved - before.reserved,
    charged: after.charged - before.charged,
    refunded: after.refunded - before.refunded,
  };
}

/** Does something that must change no counter and log no query. */
export async function free(deployment: Deployment, work: () => Promise<string>): Promise<string> {
  const { user } = deployment;
  const [before, [newest]] = [await user.quota(), await user.receipts(1)];
  const detail = await work();
  expectSame(movement(before, await user.quota()), NOTHING, "the movement");
  expectSame((await user.receipts(1))[0], newest, "the newest query");
  return detail;
}
