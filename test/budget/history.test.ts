// Random histories of a budget and its users: asks, answers, deaths, erasures,
// messages that are lost, late or sent twice, copies that are restored, old rows
// that are deleted, clocks that go back, periods that end, limits and prices
// that change. simulation.ts says what must hold.
//
// The seeds are fixed. FC_RUNS, FC_SEED and FC_PATH are as in test/model. With
// BUG, a bug of bugs.ts is seeded and nothing is shrunk.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { type Chosen, KINDS, Simulation, type Step } from "./simulation.ts";

const HISTORIES = 40;
/** Until a seeded bug is found. */
const HISTORIES_OF_BUG = 3_000;
const STEPS_MAX = 120;
const SEEDS = [1, 2, 3];

/** A small one is used up, and of a large one more is lent at a time. */
function limit(small: number, large: number): fc.Arbitrary<number | undefined> {
  const some = fc.oneof(fc.integer({ min: 0, max: small }), fc.integer({ min: 0, max: large }));
  return fc.option(some, { nil: undefined, freq: 3 });
}

const chosen: fc.Arbitrary<Chosen> = fc.record({
  generations: limit(40, 600),
  anonymous: limit(20, 300),
  usd: limit(4, 60),
  period: fc.constantFrom("day" as const, "month" as const, "total" as const),
});

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...KINDS),
  at: fc.nat({ max: 1_000 }),
  part: fc.double({ min: 0, max: 1, noNaN: true }),
});

/** A binding of vitest.config.ts; "" if not set. */
function given(name: "FC_SEED" | "FC_RUNS" | "FC_PATH" | "BUG"): string {
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

describe("the budget is never exceeded", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.spyOn(console, "error").mockImplementation(() => {});
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it.each(seeds())("in histories of seed %i", { timeout: 600_000 }, async (seed) => {
    const path = given("FC_PATH");
    const property = fc.asyncProperty(
      chosen,
      fc.array(step, { minLength: 1, maxLength: STEPS_MAX, size: "max" }),
      (settings, steps) => simulate(settings, steps),
    );
    await fc.assert(property, {
      seed,
      numRuns: given("BUG") === "" ? HISTORIES : HISTORIES_OF_BUG,
      ...(path !== "" && { path }),
      endOnFailure: path !== "" || given("BUG") !== "",
    });
  });
});

/** In an object of its own, whose database is real. */
async function simulate(settings: Chosen, steps: readonly Step[]): Promise<void> {
  const stub = env.BUDGET.getByName(`simulation ${crypto.randomUUID()}`);
  await runInDurableObject(stub, async (_object, { storage }) => {
    const simulation = new Simulation(storage, settings);
    for (const one of steps) await simulation.take(one);
    await simulation.end();
    await storage.deleteAll();
  });
}
