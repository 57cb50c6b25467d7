import { describe, expect, it } from "vitest";
import { Coverage, type WantedWord } from "../../src/corpus/coverage.ts";
import { queryWords, terms } from "../../src/text/analyzer.ts";

const word = (some: Partial<WantedWord>): WantedWord => ({
  ...{ terms: [], forms: [], parts: [], around: [], weight: 1, formWeight: 0, partsWeight: 0 },
  ...some,
});

/** The words of a query as if each were equally rare. */
function coverage(query: string, passage: string): number {
  const words = queryWords(query).map(({ term, parts }) =>
    word({ terms: [term], parts, partsWeight: 1 }),
  );
  return new Coverage(words).of(terms(passage));
}

describe("the coverage of a query", () => {
  it("is 0 without a word of it, and 1 with all", () => {
    expect(new Coverage([]).of(["quota"])).toBe(0);
    expect(coverage("quota limit", "the weather")).toBe(0);
    expect(coverage("quota limit", "the limit of a quota")).toBe(1);
  });

  it("grows with how often a passage says a word, but never to 1 while another is missing", () => {
    const once = coverage("quota limit", "a quota");
    expect(once).toBe(0.5);
    const twice = coverage("quota limit", "a quota, a quota");
    expect(twice).toBeGreaterThan(once);
    expect(coverage("quota limit", "quota ".repeat(1000))).toBeLessThan(0.7);
  });

  it("counts a form by its own rarity", () => {
    const found = new Coverage([word({ terms: ["houses"], forms: ["house"], formWeight: 0.25 })]);
    expect(found.of(["houses", "house"])).toBe(1);
    expect(found.of(["house"])).toBe(0.25);
  });

  it("does not count a character that is in none of the words it is asked in", () => {
    const found = new Coverage([word({ terms: ["京"], around: ["东京", "京都"] })]);
    expect(found.of(["东", "东京", "京"])).toBe(1);
    expect(found.of(["北", "北京", "京"])).toBe(0);
  });

  it("counts parts only as far as one word of the passage has them", () => {
    expect(coverage("고양이", "고양이를 키운다")).toBeGreaterThan(0.5);
    const inOne = coverage("세계대전이", "세계대전은 끝났다");
    const inSeveral = coverage("세계대전이", "세계 계대 대전 전이");
    expect(inOne).toBeGreaterThan(inSeveral);
    expect(coverage("المدرسة", "مدرسة كبيرة")).toBeGreaterThan(0.9);
    expect(coverage("المدرسة", "التدريس والمدينة")).toBeLessThan(0.5);
  });
});
