// `npm run canary`: one scripted disconnect against a deployment, to be run after each deploy. The whole
// promise rests on noticing who leaves, and where a runtime does not, all else looks well.

import { Mismatch } from "../conformance/expectation.ts";
import { expectRefunded, leaveInTime } from "../conformance/leaver.ts";
import { callerOf, originOf } from "../conformance/target.ts";
import { Failure, run } from "./command.ts";
import { flags } from "./flags.ts";

const HELP = `Leaves an answer of a deployment in the middle, and fails unless exactly one refund follows.

  --url URL    the deployment: https://belay.example.com
  --token T    a user's bearer token; without it, that of the environment variable BELAY_TOKEN

The user needs one query of their quota and one refund of their allowance, and should ask nothing else
meanwhile. Exit code 1: the canary failed, or could not find out. Exit code 2: the flags are wrong.`;

const QUERY = "Tell me, as fully as you can, what these documents are about.";

await run(async () => {
  const { url, token } = flags({ url: { type: "string" }, token: { type: "string" } }, HELP);
  const user = callerOf(originOf(url), token, "--token", "BELAY_TOKEN");
  try {
    const { remaining, refundsLeft } = await user.quota();
    if (remaining === 0) throw new Failure("This user's quota is used up: send another's --token.");
    if (refundsLeft === 0) {
      throw new Failure("This user's refund allowance is used up: send another's --token.");
    }
    const leaving = await leaveInTime(user, QUERY);
    if (leaving === undefined) {
      throw new Failure(
        "Each answer was over before anybody could leave it, so nothing was found out. Raise DELIVERY_HOLD_MS, or ask a slower model.",
      );
    }
    if (leaving.receipt.state === "charged") {
      throw new Failure(
        `Query ${leaving.receipt.queryId} was left on ${leaving.on} and charged: this deployment does not notice who leaves. Roll it back, and refund who was charged.`,
      );
    }
    expectRefunded(leaving);
    console.log(
      `Left on ${leaving.on}: refunded within ${leaving.seenAfterMs} ms, and nothing was charged.`,
    );
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new Failure(`The canary failed: ${error.message}.`);
  }
});
