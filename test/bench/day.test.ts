// The simulated day of `npm run day`.

import { expect, it } from "vitest";
import { dayOf, rateByArithmetic } from "../../bench/day/simulation.ts";

const DEPLOYMENT = {
  ...{ passages: 50_000, copies: 0, searchMs: 30, callMs: 0.3, changes: 200 },
  ...{ shares: [1], hours: [1, 0.5], seed: 1 },
};

it("carries what arithmetic says, and the same each time", () => {
  const day = dayOf(DEPLOYMENT, 250);
  expect(day.peak / rateByArithmetic(30.3, 250)).toBeCloseTo(1, 0);
  expect(Math.abs(day.peak / day.byArithmetic - 1)).toBeLessThan(0.1);
  expect(day.p99).toBeLessThanOrEqual(250);
  expect(dayOf(DEPLOYMENT, 250)).toEqual(day);
});

it("carries about as many times more as there are copies, which cost the original little", () => {
  const shares = [0.5, 0.5];
  const day = dayOf({ ...DEPLOYMENT, copies: 2, shares }, 250);
  expect(Math.abs(day.peak / (2 * rateByArithmetic(30.3, 250)) - 1)).toBeLessThan(0.1);
  expect(day.originalLoad).toBeLessThan(0.01);
});
