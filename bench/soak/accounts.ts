// What the server says about the users of a soak, once nothing is reserved.

import { setTimeout as delay } from "node:timers/promises";
import pMap from "p-map";
import type { Caller } from "../../conformance/caller.ts";
import type { Account } from "./book.ts";
import type { User } from "./user.ts";

/** At the latest, an alarm refunds what has no run any more. */
const SETTLE_MS = 90_000;
const POLL_MS = 1_000;
/** Users asked at the same time. */
const AT_ONCE = 4;

export async function accounts(
  users: readonly User[],
  operator: Caller,
): Promise<ReadonlyMap<User, Account | undefined>> {
  const deadline = Date.now() + SETTLE_MS;
  const found = await pMap(
    users,
    async (user) => {
      let account = await accountOf(user, operator);
      while ((account?.reservations.length ?? 0) > 0 && Date.now() < deadline) {
        await delay(POLL_MS);
        account = await accountOf(user, operator);
      }
      return [user, account] as const;
    },
    { concurrency: AT_ONCE },
  );
  return new Map(found);
}

async function accountOf(user: User, operator: Caller): Promise<Account | undefined> {
  const path = `/admin/users/${user.name}`;
  const { status } = await operator.call("GET", path);
  if (status === 404) return undefined;
  const inspection = (await operator.json("GET", path)) as Omit<Account, "receipts">;
  return { ...inspection, receipts: await user.receipts() };
}
