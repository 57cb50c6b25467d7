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
  const { exponent } = await growth((length) => cpuMs(() => read(text(length))), BOUNDS);
  expect(exponent).toBeGreaterThan(1.6);
});
