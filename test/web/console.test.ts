// The pure parts of the operators' console: percentiles, days, and documents made of
// files.

import { describe, expect, it } from "vitest";
import { budgetWords } from "../../src/web/console/budget.ts";
import { documentOf } from "../../src/web/console/new-document.ts";
import { daysBetween, percentile, together } from "../../src/web/console/percentile.ts";

describe("a percentile of a histogram", () => {
  const bounds = [25, 50, 75];

  it("is the bound that this share of all durations is at most", () => {
    expect(percentile([5, 4, 1], bounds, 0.5)).toBe(25);
    expect(percentile([4, 5, 1], bounds, 0.5)).toBe(50);
    expect(percentile([4, 5, 1], bounds, 0.95)).toBe(75);
    expect(percentile([1], bounds, 1)).toBe(25);
  });

  it("is infinite above all bounds, and nothing without a duration", () => {
    expect(percentile([0, 0, 0, 1], bounds, 0.5)).toBe(Number.POSITIVE_INFINITY);
    expect(percentile([], bounds, 0.5)).toBeUndefined();
    expect(percentile([0, 0], bounds, 0.5)).toBeUndefined();
  });

  it("is taken of several histograms by adding them up", () => {
    expect(together([[1, 2], [], [0, 0, 3]])).toEqual([1, 2, 3]);
    expect(together([])).toEqual([]);
  });
});

describe("a chart", () => {
  it("has every day, over the end of a month", () => {
    const days = ["2026-02-27", "2026-02-28", "2026-03-01"];
    expect(daysBetween("2026-02-27", "2026-03-01")).toEqual(days);
    expect(daysBetween("2026-03-01", "2026-03-01")).toEqual(["2026-03-01"]);
  });
});

describe("the budget", () => {
  const free = { limit: null, spent: 0 };
  const budget = {
    period: "2026-11-29",
    endsAt: null,
    generations: free,
    anonymous: free,
    usd: free,
  };

  it("is not mentioned without a limit, and while less than 80 % is spent", () => {
    expect(budgetWords(budget)).toBeUndefined();
    expect(budgetWords({ ...budget, generations: { limit: 100, spent: 79 } })).toBeUndefined();
  });

  it("is mentioned with its amounts from 80 % on", () => {
    const words = budgetWords({ ...budget, usd: { limit: 25, spent: 20.5 } });
    expect(words).toBe(
      "The budget of 2026-11-29 is nearly used up: $20.50 of $25.00 for the model. PATCH /api/v1/admin/budget raises it.",
    );
  });

  it("is used up when one of its limits is, 0 among them", () => {
    const words = budgetWords({
      ...{ ...budget, generations: { limit: 6_000, spent: 5_000 } },
      anonymous: { limit: 0, spent: 0 },
    });
    expect(words).toMatch(/ is used up: 5,000 of 6,000 answers, 0 of 0 answers without/);
    expect(words).toMatch(/Asks past it are refused, or quoted with BUDGET_FALLBACK\./);
  });
});

describe("a file becomes a document", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  it.each([
    ["---\ntitle: Opening hours\n---\n# Other\n\nText", "Opening hours", "# Other\n\nText"],
    ["# When *open* #\n\nText", "When *open*", "# When *open* #\n\nText"],
    ["Text", "opening hours", "Text"],
    ["\ufeffText", "opening hours", "Text"],
  ])("with the title of its front matter, its heading or its name: %j", (content, title, text) => {
    const id = "opening-hours.md";
    expect(documentOf(id, bytes(content))).toEqual({ id, title, text });
  });

  it("with its name as the id, in one form of its accents", () => {
    expect(documentOf("Cafe\u0301.TXT", bytes("Text")).id).toBe("Caf\u00e9.TXT");
  });

  it.each<[string, string, Uint8Array, RegExp]>([
    ["of another format", "a.pdf", bytes("Text"), /Markdown/],
    ["without an ending", "README", bytes("Text"), /Markdown/],
    ["that is empty", "a.md", bytes(" \n"), /empty/],
    ["of front matter alone", "a.md", bytes("---\ntitle: A\n---\n"), /empty/],
    ["with a byte of zero", "a.txt", Uint8Array.of(65, 0, 66), /not text/],
    ["that is not UTF-8", "a.txt", Uint8Array.of(0xff, 0xfe), /UTF-8/],
    ["over 1 MiB", "a.txt", bytes("x".repeat(1024 * 1024 + 1)), /1 MiB/],
  ])("but not one %s", (_which, name, content, reason) => {
    expect(() => documentOf(name, content)).toThrow(reason);
  });

  it("of exactly 1 MiB", () => {
    expect(documentOf("a.txt", bytes("x".repeat(1024 * 1024))).text).toHaveLength(1024 * 1024);
  });
});
