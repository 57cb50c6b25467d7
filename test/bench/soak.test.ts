// The parts of `npm run soak` that judge: they must find what they look for.

import { describe, expect, it } from "vitest";
import { type Account, Book } from "../../bench/soak/book.ts";
import { steps } from "../../bench/soak/plan.ts";
import { slope } from "../../bench/soak/slope.ts";

describe("the plan of a soak", () => {
  const plan = { seed: 7, users: 20, seconds: 60, rate: 20 };

  it("is the same for the same seed, and another for another", () => {
    expect([...steps(plan)]).toEqual([...steps(plan)]);
    expect([...steps(plan)]).not.toEqual([...steps({ ...plan, seed: 8 })]);
  });

  it("keeps to the rate, and has every action", () => {
    const all = [...steps(plan)];
    expect(all.length).toBeGreaterThan(1_000);
    expect(all.length).toBeLessThan(1_400);
    expect(new Set(all.map(({ action }) => action)).size).toBe(11);
    expect(new Set(all.map(({ user }) => user)).size).toBe(20);
  });
});

describe("the slope of memory", () => {
  const samples = (value: (seconds: number) => number) =>
    Array.from({ length: 400 }, (_, seconds) => ({ seconds, value: value(seconds) }));

  it("finds a leak under the noise of a garbage collector", () => {
    const sawtooth = (seconds: number) => 200 + (seconds % 37) / 2;
    const steady = slope(samples(sawtooth));
    expect(Math.abs(steady?.perHour ?? Number.NaN)).toBeLessThan(steady?.spread ?? 0);
    const leaking = slope(samples((seconds) => sawtooth(seconds) + seconds / 20));
    expect((leaking?.perHour ?? 0) - (leaking?.spread ?? 0)).toBeGreaterThan(100);
    expect((leaking?.perHour ?? 0) - (steady?.perHour ?? 0)).toBeCloseTo(180);
  });

  it("is not said of too few samples", () => {
    expect(slope(samples(() => 1).slice(0, 19))).toBeUndefined();
  });
});

describe("the account of a user", () => {
  const charged = { action: "reads", state: "charged", reason: null, answer: "Yes." } as const;
  const refunded = {
    action: "leaves",
    state: "refunded",
    reason: "disconnected",
    answer: null,
  } as const;
  const exact: Account = {
    audit: { ok: true, differences: [] },
    windows: [{ window: "total", reserved: 0, charged: 1, refunded: 1 }],
    reservations: [],
    receipts: [
      { queryId: "2", state: "refunded", reason: "disconnected", answer: null },
      { queryId: "1", state: "charged", reason: null, answer: "Yes." },
    ],
  };
  const [second, first] = exact.receipts as [
    Account["receipts"][number],
    Account["receipts"][number],
  ];

  function book(): Book {
    const written = new Book();
    written.note("1", charged);
    written.note("2", refunded);
    return written;
  }

  it("has no differences if each answer that arrived is charged, and no other", () => {
    expect(book().differences(exact)).toEqual([]);
    expect(new Book().differences(undefined)).toEqual([]);
  });

  it.each<[string, Partial<Account>]>([
    [
      "1 (reads) is refunded (failed), expected charged",
      {
        receipts: [second, { ...first, state: "refunded", reason: "failed" }],
      },
    ],
    [
      "2 (leaves) is charged, expected refunded (disconnected)",
      {
        receipts: [{ ...second, state: "charged", reason: null }, first],
      },
    ],
    ["1 (reads) has another answer", { receipts: [second, { ...first, answer: "No." }] }],
    ["1 (reads) has no row", { receipts: [second] }],
    ["1 has two rows", { receipts: [second, first, first] }],
    [
      "3 is charged, but no client asked it",
      {
        receipts: [{ ...first, queryId: "3" }, second, first],
      },
    ],
    ["2 is still reserved", { reservations: [{ queryId: "2" }] }],
    [
      "2 are counted as charged, but 1 rows are",
      {
        windows: [{ window: "total", reserved: 0, charged: 2, refunded: 1 }],
      },
    ],
    [
      "audit: total: charged",
      {
        audit: { ok: false, differences: ["total: charged is 1, but 2 rows are"] },
      },
    ],
  ])("differs: %s", (difference, change) => {
    expect(
      book()
        .differences({ ...exact, ...change })
        .join("\n"),
    ).toContain(difference);
  });

  it("differs where the server knows no such user, or one question ended twice", () => {
    expect(book().differences(undefined)).toHaveLength(1);
    const twice = book();
    twice.note("2", charged);
    expect(twice.differences(exact).join("\n")).toContain("2 was refunded when it was asked");
  });
});
