// `npm run canary`: one disconnect after each deploy. If a runtime does not
// report disconnects, all else looks right.

import { callerOf } from "../conformance/caller.ts";
import { disconnectInTime, expectRefunded, inTheMiddle } from "../conformance/disconnect.ts";
import { Mismatch } from "../conformance/expectation.ts";
import { Failure, run } from "./command.ts";
import { flags } from "./flags.ts";
import { serverHelp, serverOf, tokenFlag } from "./target.ts";

const HELP = `Disconnects in the middle of an answer, and fails unless exactly one refund follows.

  --server URL    the deployment: https://belay.example.com; ${serverHelp(18)}
  --token T       a user's bearer token; by default that of BELAY_TOKEN, and for a server
                  on this machine one of the user "canary", which the command signs

The user needs one answer of their quota and one refund of their allowance, and should ask
nothing else meanwhile. Exit code 1: the canary failed, or found nothing out. Exit code 2:
wrong flags.`;

const QUERY = "Tell me, as fully as you can, what these documents are about.";

await run(async () => {
  const { server, url, token } = flags(
    // `--url` is the older name.
    { server: { type: "string" }, url: { type: "string" }, token: { type: "string" } },
    HELP,
  );
  const origin = await serverOf(server ?? url);
  const user = await callerOf(origin, tokenFlag(token), { user: "canary" });
  try {
    const { remaining, refundsLeft } = await user.quota();
    if (remaining === 0)
      throw new Failure("This user's quota is used up. Give --token of another user.");
    if (refundsLeft === 0) {
      throw new Failure("This user's refund allowance is used up. Give --token of another user.");
    }
    const disconnect = await disconnectInTime(user, () => user.ask(QUERY), inTheMiddle);
    if (disconnect === undefined) {
      throw new Failure(
        "Each answer was complete before the canary disconnected, so nothing was found out. Raise DELIVERY_HOLD_MS, or use a slower model.",
      );
    }
    if (disconnect.receipt.answer !== null) {
      throw new Failure(
        `Query ${disconnect.receipt.queryId} was completed after a disconnect on ${disconnect.on}: this deployment does not notice disconnects. Roll it back, and refund the users who were charged.`,
      );
    }
    expectRefunded(disconnect);
    console.log(
      `Disconnected on ${disconnect.on}: refunded within ${disconnect.seenAfterMs} ms, and nothing was charged.`,
    );
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new Failure(`The canary failed: ${error.message}.`);
  }
});
