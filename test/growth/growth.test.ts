// The measure behind the other tests here: it tells linear readers from others.

import { expect, it } from "vitest";
import { cpuMs, EXPONENT_MAX, growth, repeated } from "../support/growth.ts";

const BOUNDS = { from: 2_000, to: 4_000_000 };

it("finds a linear reader linear", async () => {
  const read = (text: string) => text.replace(/[aeiou]/g, (vowel) => vowel.toUpperCase());
  const text = repeated("a linear text ");
  const { exponent } = await growth((length) => cpuMs(() => read(text(length))), BOUNDS);
  expect(exponent).toBeLessThan(EXPONENT_MAX);
});

it("finds a quadratic reader quadratic", async () => {
  const read = (text: string) => /(?:a+)b/.test(text);
  const text = repeated("a");
  const bounds = { ...BOUNDS, to: 8_000 };
  const { exponent } = await growth((length) => cpuMs(() => read(text(length))), bounds);
  expect(exponent).toBeGreaterThan(1.6);
});

/** A cost that is ten times too high in one reading of the longest input. */
const disturbed = (costOf: (length: number) => number) => {
  let times = 1;
  return (length: number) => (length === 4_096_000 && times-- > 0 ? 10 : 1) * costOf(length);
};

it("measures a bad reading again, however long it took", async () => {
  const bounds = { from: 1_000, to: 4_096_000, msMax: 5_000 };
  const { exponent, ms, msMax } = await growth(
    disturbed((length) => length / 1_000),
    bounds,
  );
  expect(exponent).toBeCloseTo(1);
  expect(ms).toBe(4_096);
  expect(msMax).toBe(5_000);
});

it("allows a slow reader no more than twice what a slow machine needs", async () => {
  const bounds = { from: 1_000, to: 4_000, msMax: 500 };
  const { exponent, ms, msMax } = await growth((length) => length * 1_000, bounds);
  expect(exponent).toBeCloseTo(1);
  expect(msMax).toBeGreaterThanOrEqual(500);
  expect(ms).toBeGreaterThan(msMax);
});

// As measured: large arrays and strings get pages of their own, which are dear at first.
it.each<[string, readonly number[]]>([
  ["after the shortest input", [0.2, 2.25, 4.5, 7.15, 11.3, 23.4, 48.3]],
  ["at the longest input", [0.3, 0.55, 1.27, 8.1, 13.9, 33.6, 74.6]],
  ["before input that is too long for it", [0.6, 2.5, 4.2, 8.4, 15.6, 34.1, 0.2]],
  ["a little each time, up to its bounds", [6, 15.7, 42.5, 113, 68, 110, 230]],
])("finds a linear reader linear whose time leaps %s", async (_, times) => {
  const cost = (length: number) => times[Math.log2(length / 1_000)] ?? Number.NaN;
  const { exponent } = await growth(cost, { from: 1_000, to: 8_000 });
  expect(exponent).toBeLessThan(EXPONENT_MAX);
});

it.each([4_000, 5_000, 9_000, 10_000, 12_000, 18_000, 34_000, 40_000, 50_000])(
  "finds a quadratic reader quadratic that reads at most %i characters",
  async (most) => {
    const cost = (length: number) => Math.min(length, most) ** 2 / 3_000_000;
    const { exponent } = await growth(cost, { from: 1_000, to: 4_000 });
    expect(exponent).toBeGreaterThan(EXPONENT_MAX);
  },
);
