import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { refundsLeft } from "../../src/user/sharing.ts";

/** How many refunds each reader gets who asks for them in this order, as many as there are. */
function granted(refundLimit: number, order: readonly number[]): Map<number, number> {
  const refunds = new Map<number, number>();
  for (const reader of order) {
    const own = refunds.get(reader) ?? 0;
    const all = [...refunds.values()].reduce((sum, number) => sum + number, 0);
    if (refundsLeft(refundLimit, { own, all }) > 0) refunds.set(reader, own + 1);
  }
  return refunds;
}

describe("the refund allowance of readers who share it", () => {
  it("is never more than it is, in whatever order and by however many readers it is used", () => {
    const order = fc.array(fc.nat(12), { maxLength: 200 });
    fc.assert(
      fc.property(fc.nat(40), order, (refundLimit, order) => {
        const refunds = [...granted(refundLimit, order).values()];
        expect(refunds.reduce((sum, number) => sum + number, 0)).toBeLessThanOrEqual(refundLimit);
        for (const own of refunds) expect(own).toBeLessThanOrEqual(Math.ceil(refundLimit / 2));
      }),
    );
  });

  it("leaves something to the second reader, whatever the first has done", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1_000 }), (refundLimit) => {
        const first = granted(refundLimit, Array(2_000).fill(1)).get(1) ?? 0;
        expect(first).toBe(Math.ceil(refundLimit / 2));
        expect(refundsLeft(refundLimit, { own: 0, all: first })).toBeGreaterThan(0);
      }),
    );
  });

  it("is none where there is none, or less than was used already", () => {
    expect(refundsLeft(0, { own: 0, all: 0 })).toBe(0);
    expect(refundsLeft(3, { own: 5, all: 9 })).toBe(0);
    expect(refundsLeft(1, { own: 0, all: 0 })).toBe(1);
  });
});
