// The ledger's leaves: which window a time is in, and what is left of a limit. Its statements are
// tested through the user object, with the rows that they count.

import { describe, expect, it } from "vitest";
import { remaining } from "../../src/user/quota.ts";
import { windowAt, windowSpan } from "../../src/window.ts";

describe("a window", () => {
  it.each([
    ["2026-11-22T00:00:00.000Z", "day", "2026-11-22", "2026-11-23T00:00:00.000Z"],
    ["2026-11-22T23:59:59.999Z", "day", "2026-11-22", "2026-11-23T00:00:00.000Z"],
    ["2028-02-28T12:00:00.000Z", "day", "2028-02-28", "2028-02-29T00:00:00.000Z"],
    ["2028-02-29T12:00:00.000Z", "day", "2028-02-29", "2028-03-01T00:00:00.000Z"],
    ["2027-02-28T12:00:00.000Z", "day", "2027-02-28", "2027-03-01T00:00:00.000Z"],
    ["2026-12-31T23:59:59.999Z", "day", "2026-12-31", "2027-01-01T00:00:00.000Z"],
    ["2026-11-30T23:59:59.999Z", "month", "2026-11", "2026-12-01T00:00:00.000Z"],
    ["2026-12-31T23:59:59.999Z", "month", "2026-12", "2027-01-01T00:00:00.000Z"],
    ["2028-02-29T12:00:00.000Z", "month", "2028-02", "2028-03-01T00:00:00.000Z"],
  ] as const)("that holds %s, of a %s, is %s and ends at %s", (time, period, window, end) => {
    const now = Date.parse(time);
    expect(windowAt(now, period)).toBe(window);
    const span = windowSpan(window);
    expect(new Date(span?.end ?? 0).toISOString()).toBe(end);
    expect(span?.start).toBeLessThanOrEqual(now);
    expect(span?.end).toBeGreaterThan(now);
  });

  it("of the period total never ends", () => {
    expect(windowAt(Date.now(), "total")).toBe("total");
    expect(windowSpan("total")).toBeUndefined();
  });
});

describe("what is left of a limit", () => {
  const counters = {
    reserved: 1,
    charged: 2,
    refunded: 9,
    refunds_counted: 3,
    pruned_charged: 0,
    pruned_refunded: 0,
    pruned_refunds_counted: 0,
  };

  it("counts what is reserved and charged, and no refund", () => {
    expect(remaining(5, counters)).toBe(2);
  });

  it("is never below zero, though the limit was lowered meanwhile", () => {
    expect(remaining(1, counters)).toBe(0);
  });
});
