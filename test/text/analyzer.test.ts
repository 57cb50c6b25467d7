import { describe, expect, it } from "vitest";
import { matchQuery, queryTerms, terms } from "../../src/text/analyzer.ts";

describe("the terms of a text", () => {
  it("are the stems of its words, in lower case and without accents", () => {
    expect(terms("Running the cafés, RÉSUMÉS in 1990s")).toEqual([
      "run",
      "the",
      "cafe",
      "resum",
      "in",
      "1990",
    ]);
  });

  it("are single characters and pairs of neighbours in scripts without spaces", () => {
    expect(terms("东京大学")).toEqual(["东", "东京", "京", "京大", "大", "大学", "学"]);
    expect(terms("东京。大学")).toEqual(["东", "东京", "京", "大", "大学", "学"]);
    expect(terms("カタカナ")).toEqual(["カ", "カタ", "タ", "タカ", "カ", "カナ", "ナ"]);
    expect(terms("ไทย")).toContain("ไท");
  });

  it("are the same however a character is encoded", () => {
    expect(terms("ＡＢＣ ｶﾞ ﬁne e\u0301te\u0301")).toEqual(terms("abc ガ fine été"));
    expect(terms("İstanbul")).toEqual(terms("istanbul"));
    expect(terms("con\u00adtent")).toEqual(terms("content"));
  });

  it("keep marks that are as good as letters", () => {
    expect(terms("हिन्दी")).toEqual(["हिन्दी"]);
    expect(terms("한국어")).toEqual(["한국어"]);
    expect(terms("שָׁלוֹם")).toEqual(terms("שלום"));
  });

  it("hold letters and digits only, and are never long", () => {
    const hostile = `a"b*c(d)e:f\0g\ud800h\u{1f600}i ${"x".repeat(1000)}`;
    for (const term of terms(hostile)) expect(term).toMatch(/^[\p{L}\p{M}\p{N}]{1,64}$/u);
    expect(terms('"*():-\0\ud800 \u{1f600}\u0301')).toEqual([]);
  });
});

describe("the terms of a query", () => {
  it("leave out stop words, in English and in Chinese", () => {
    expect(queryTerms("What is the limit?")).toEqual(["limit"]);
    expect(queryTerms("量子的")).not.toContain("的");
  });

  it("are the stop words if there are no others", () => {
    expect(queryTerms("to be or not to be")).toEqual(["to", "be", "or", "not", "to", "be"]);
  });

  it("keep their repeats, and are at most 50", () => {
    expect(queryTerms("quota, quota and quota")).toEqual(["quota", "quota", "quota"]);
    expect(queryTerms("word ".repeat(1000))).toHaveLength(50);
  });

  it("are quoted in a match query", () => {
    expect(matchQuery(["limit", "and"])).toBe('"limit" OR "and"');
  });
});
