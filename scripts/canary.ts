// `npm run canary`: one disconnect against a deployment, after each deploy. If a
// runtime does not report disconnects, everything else still looks right.

import { callerOf } from "../conformance/caller.ts";
import { Mismatch } from "../conformance/expectation.ts";
import { expectRefunded, leaveInTime } from "../conformance/leaver.ts";
import { Failure, run } from "./command.ts";
import { flags } from "./flags.ts";
import { originOf } from "./target.ts";

const HELP = `Disconnects in the middle of an answer, and fails unless exactly one refund follows.

  --url URL    the deployment: https://belay.example.com
  --token T    a user's bearer token; by default that of BELAY_TOKEN

The user needs one answer of their quota and one refund of their allowance, and should ask
nothing else meanwhile. Exit code 1: the canary failed, or found nothing out. Exit code 2:
wrong flags.`;

const QUERY = "Tell me, as fully as you can, what these documents are about.";

await run(async () => {
  const { url, token } = flags({ url: { type: "string" }, token: { type: "string" } }, HELP);
  const user = callerOf(originOf("--url", url), "--token", token, "BELAY_TOKEN");
  try {
    const { remaining, refundsLeft } = await user.quota();
    if (remaining === 0)
      throw new Failure("This user's quota is used up. Give --token of another user.");
    if (refundsLeft === 0) {
      throw new Failure("This user's refund allowance is used up. Give --token of another user.");
    }
    const leaving = await leaveInTime(user, QUERY);
    if (leaving === undefined) {
      throw new Failure(
        "Each answer was complete before the canary disconnected, so nothing was found out. Raise DELIVERY_HOLD_MS, or use a slower model.",
      );
    }
    if (leaving.receipt.state === "charged") {
      throw new Failure(
        `Query ${leaving.receipt.queryId} was charged after a disconnect on ${leaving.on}: this deployment does not notice disconnects. Roll it back, and refund the users who were charged.`,
      );
    }
    expectRefunded(leaving);
    console.log(
      `Disconnected on ${leaving.on}: refunded within ${leaving.seenAfterMs} ms, and nothing was charged.`,
    );
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new Failure(`The canary failed: ${error.message}.`);
  }
});
