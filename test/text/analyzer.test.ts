import { describe, expect, it } from "vitest";
import { matchQuery, queryLanguage, queryTerms, terms } from "../../src/text/analyzer.ts";

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
  });

  it("are runs of three letters in the scripts of Southeast Asia without spaces", () => {
    expect(terms("ภาษาไทย")).toEqual(["ภาษ", "าษา", "ษาไ", "าไท", "ไทย"]);
    expect(terms("ดี")).toEqual(["ดี"]);
  });

  it("meet however a letter is written", () => {
    for (const [one, other] of [
      ...[
        ["Straße", "Strasse"],
        ["łódź", "lodz"],
        ["Ørsted", "orsted"],
        ["đakovo", "dakovo"],
      ],
      ...[
        ["œuvre", "oeuvre"],
        ["ısparta", "isparta"],
        ["ΟΔΟΣ", "οδοσ"],
        ["مدرسة", "مدرسه"],
      ],
      ...[["東京大學與圖書館", "东京大学与图书馆"]],
    ] as const) {
      expect(terms(one)[0]).toEqual(terms(other)[0]);
    }
  });

  it("tell languages with marks apart", () => {
    expect(terms("C, C++, C#, .NET, ASP.NET and example.net")).toEqual([
      "c",
      "cpp",
      "csharp",
      "dotnet",
      "asp",
      "dotnet",
      "and",
      "exampl",
      "net",
    ]);
  });

  it("hold a version and its beginnings, without its v", () => {
    expect(terms("v2.13.1")).toEqual(terms("2.13.1"));
    expect(terms("2.13.1")).toEqual(expect.arrayContaining(["2", ...terms("2.13").slice(1)]));
  });

  it("hold a compound as one word, and its parts", () => {
    expect(terms("e-mail")).toEqual(["e", "mail", "email"]);
    expect(terms("Wi\u2011Fi")).toEqual(["wi", "fi", "wifi"]);
    expect(terms("getUserById")).toEqual(["get", "user", "by", "id", "getuserbyid"]);
    expect(terms("JavaScript")).toEqual(["javascript"]);
    expect(terms("state-of-the-art")).toEqual(["state", "of", "the", "art"]);
  });

  it("hold more of a word whose ending or beginning changes", () => {
    const shared = (one: string, other: string) =>
      terms(one).filter((term) => terms(other).includes(term)).length;
    expect(shared("города", "городов")).toBe(1);
    expect(shared("배송비는", "배송비")).toBe(2);
    expect(shared("книга", "книгами")).toBe(1);
    expect(terms("المدرسة")).toEqual(terms("بالمدرسة"));
    expect(shared("كاتب", "كاتبين")).toBeGreaterThan(1);
    const german = (noun: string) => `Das ist nicht der Anfang, sondern das Ende der ${noun}.`;
    expect(terms(german("Wohnung"))).toContain("ːwohnu");
    expect(terms("This is not the beginning of the Wohnung.")).not.toContain("ːwohnu");
  });

  it("hold no more of a stop word than the word", () => {
    const vietnamese = "Đây là câu của những người được nói về thành phố.";
    expect(terms(vietnamese)).toContain("ːthành");
    expect(terms(vietnamese)).not.toContain("ːcủa");
    expect(terms("который")).toHaveLength(1);
  });

  it("are the same however a character is encoded", () => {
    expect(terms("ＡＢＣ ｶﾞ ﬁne e\u0301te\u0301")).toEqual(terms("abc ガ fine été"));
    expect(terms("İstanbul")).toEqual(terms("istanbul"));
    expect(terms("con\u00adtent")).toEqual(terms("content"));
  });

  it("keep marks that are as good as letters", () => {
    expect(terms("हिन्दी")[0]).toBe("हिन्दी");
    expect(terms("한국어")[0]).toBe("한국어");
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
    expect(queryTerms("How many requests per minute?")).toEqual(["request", "minut"]);
    expect(queryTerms("Why doesn't the limit apply, really?")).toEqual(["limit", "appli"]);
  });

  it("are the stop words if there are no others", () => {
    expect(queryTerms("to be or not to be")).toEqual(["to", "be", "or", "not"]);
    expect(queryTerms("hello")).toContain("hello");
  });

  it("are each there once, and at most 50", () => {
    expect(queryTerms("quota, quota and the quota")).toEqual(["quota"]);
    const numbers = Array.from({ length: 1_000 }, (_, i) => i).join(" ");
    expect(queryTerms(numbers)).toHaveLength(50);
  });

  it.each([
    ["Hi! How long are answers kept? Thanks!", "How long are answers kept?"],
    ["Hello, could you please tell me: What is the limit?", "What is the limit?"],
    ["I was wondering if you could help me with the limit", "What is the limit?"],
    [
      "Sorry to bother you, quick question: which limit is it? Have a nice day",
      "which limit is it",
    ],
    ["你好，请问怎么删除文档？谢谢！", "删除文档"],
    ["請問如何刪除文檔？", "删除文档"],
    ["すみません、料金を教えてください", "料金"],
    ["안녕하세요, 배송비는 얼마인가요? 감사합니다", "배송비는 얼마인가요?"],
    ["สวัสดีครับ ค่าจัดส่งเท่าไหร่ครับ", "ค่าจัดส่งเท่าไหร่"],
    ["Здравствуйте! Подскажите, пожалуйста, как удалить документ?", "как удалить документ?"],
    ["Hallo zusammen, wie lösche ich das Dokument? Vielen Dank!", "wie lösche ich das Dokument?"],
    ["Hola, ¿cómo borro un documento? Gracias de antemano", "¿cómo borro un documento?"],
  ])("leave courtesy out: %s", (polite, plain) => {
    expect(queryTerms(polite)).toEqual(queryTerms(plain));
  });

  it("are those of the question after a long paste", () => {
    const paste = "2026-11-28 worker started, connection reset by peer in handler 17. ".repeat(30);
    const question = "How long are deleted answers kept?";
    expect(queryTerms(`${paste}\n\n${question}`)).toEqual(queryTerms(question));
    expect(queryTerms(`${question}\n\n${paste}`)).toEqual(queryTerms(question));
    const imperative = queryTerms(`${paste}\nExplain the retention of deleted answers`);
    expect(imperative.slice(0, 4)).toEqual(queryTerms("Explain the retention of deleted answers"));
  });

  it("are quoted in a match query", () => {
    expect(matchQuery(["limit", "and"])).toBe('"limit" OR "and"');
  });
});

describe("the language of a query", () => {
  it.each([
    ...["Is there a vegan restaurant nearby?", "Can I use a visa card in a shop?"],
    ...[
      "Is a pro on sale?",
      "Do they ship as a gift or a box",
      "What article was published in 1937?",
    ],
  ])("is English, though other languages have its short words: %s", (query) => {
    expect(queryLanguage(query)).toBe("en");
  });

  it.each([
    ["de", "Was ist in der Box?"],
    ["hu", "Hol van a bolt?"],
    ["ro", "În ce an a murit?"],
    ["nl", "Was er in 1901 een winkel?"],
    ["fr", "Est-ce que la carte est acceptée ?"],
  ])("is not English: %s, %s", (language, query) => {
    expect(queryLanguage(query)).toBe(language);
  });
});
