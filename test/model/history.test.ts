// Random histories of one user: asks, disconnects, stops, failures,
// crashes, clocks and operators, alone and at once.
// After every step the eight invariants are checked against storage,
// and the outcome against a plain model.
//
// The seeds are fixed. `npm run test:soak` uses new ones:
// FC_RUNS histories, starting at FC_SEED if set.
// A failed history is shrunk, and prints the FC_SEED, FC_PATH and
// FC_REPLAY_PATH that repeat it.
// With BUG, a bug of bugs.ts is seeded and nothing is shrunk.

import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { histories, settings } from "./commands.ts";
import { Model } from "./model.ts";
import { endHistory } from "./steps.ts";
import { Upstream } from "./upstream.ts";
import { World } from "./world.ts";

const HISTORIES = 150;
const SEEDS = [1, 2, 3];

/** A binding of vitest.config.ts; "" if not set. */
function given(name: "FC_SEED" | "FC_RUNS" | "FC_PATH" | "FC_REPLAY_PATH" | "BUG"): string {
  return String((env as unknown as Record<string, unknown>)[name] ?? "");
}

function seeds(): number[] {
  if (given("FC_PATH") !== "") return [Number(given("FC_SEED"))];
  if (given("FC_RUNS") === "") return SEEDS;
  const first =
    given("FC_SEED") === "" ? crypto.getRandomValues(new Int32Array(1))[0] : given("FC_SEED");
  const length = Math.ceil(Number(given("FC_RUNS")) / HISTORIES);
  return Array.from({ length }, (_, index) => (Number(first) + index) | 0);
}

describe("every invariant holds", () => {
  const upstream = new Upstream();
  const complaints: string[] = [];

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date", "performance", "setTimeout", "clearTimeout"] });
    upstream.install();
    vi.spyOn(console, "log").mockImplementation(() => {});
    vi.spyOn(console, "error").mockImplementation((...words) => {
      complaints.push(words.join(" "));
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it.each(seeds())("in histories of seed %i", { timeout: 600_000 }, async (seed) => {
    const path = given("FC_PATH");
    const property = fc.asyncProperty(
      settings,
      histories(given("FC_REPLAY_PATH")),
      async (chosen, commands) => {
        upstream.calls.length = 0;
        complaints.length = 0;
        const model = new Model(chosen);
        const world = await World.create(chosen, upstream, complaints);
        await fc.asyncModelRun(() => ({ model, real: world }), commands);
        await endHistory(model, world);
      },
    );
    const result = await fc.check(property, {
      seed,
      numRuns: HISTORIES,
      ...(path !== "" && { path }),
      // No shrinking for a known path or a seeded bug.
      endOnFailure: path !== "" || given("BUG") !== "",
    });
    if (!result.failed) return;
    const bug = given("BUG") === "" ? "" : `BUG="${given("BUG")}" `;
    const replayPath = /replayPath="(.*?)"/.exec(String(result.counterexample?.[1]))?.[1];
    throw new Error(
      `${await fc.asyncDefaultReportMessage(result)}

To repeat it: ${bug}FC_SEED=${seed} FC_PATH=${result.counterexamplePath} FC_REPLAY_PATH='${replayPath}' npx vitest run --project workerd test/model`,
      { cause: result.errorInstance },
    );
  });
});
