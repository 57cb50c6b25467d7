import { describe, expect, it } from "vitest";
import { searchQuery } from "../../src/answer/search-query.ts";
import type { Turn } from "../../src/protocol.ts";

const turns = (...questions: string[]): Turn[] =>
  questions.flatMap((content): Turn[] => [
    { role: "user", content },
    { role: "assistant", content: "An answer. [1]" },
  ]);

describe("a question that leaves out its subject is searched with the question before", () => {
  it.each([
    ["And for a team?", "How much does a licence cost?"],
    ["what about weekends?", "When is the library open?"],
    ["Thanks! And how do I remove it again?", "How do I add a member?"],
    ["Does it work with a proxy too?", "How do I install the agent?"],
    ["How long do they last?", "How do I change the batteries?"],
    ["Is that still free?", "Can I export my data?"],
    ["How does this work?", "What is the refund allowance?"],
    ["why?", "Are uploads limited to 10 MB?"],
    ["那周末呢？", "图书馆几点开门？"],
    ["怎么取消它？", "如何订阅邮件？"],
    ["Und was kostet das?", "Wie bestelle ich einen Ausweis?"],
    ["Wie lange ist er damit gültig?", "Wie bestelle ich einen Ausweis?"],
    ["¿Y para los niños?", "¿Cuánto cuesta la entrada?"],
    ["Et pour les enfants ?", "Combien coûte l'entrée ?"],
    ["А для детей?", "Сколько стоит билет?"],
    ["Как его отменить?", "Как оформить заказ?"],
    ["じゃあ週末は？", "図書館は何時に開きますか？"],
    ["그럼 주말에는?", "도서관은 언제 열어요?"],
    ["وماذا عن الأطفال؟", "كم سعر التذكرة؟"],
  ])("%s", (query, before) => {
    expect(searchQuery(query, turns(before)).text).toBe(`${query}\n${before}`);
  });
});

describe("a question that says its subject is searched alone", () => {
  it.each([
    "How do I delete a document?",
    "How do I set a cookie and delete it?",
    "When a webhook fails, will it be retried?",
    "Is it possible to export invoices as PDF?",
    "Who maintains this project today?",
    "dockerfile",
    "Thanks!",
    "Hello there",
    "谢谢！",
    "如何部署到服务器上？",
    "Wie lösche ich ein Dokument?",
    "¿Cómo puedo borrar un documento?",
  ])("%s", (query) => {
    expect(searchQuery(query, turns("How much does a licence cost?"))).toEqual({
      text: query,
      asked: query,
    });
  });

  it("and so is a first question", () => {
    expect(searchQuery("And for a team?", []).text).toBe("And for a team?");
  });
});

describe("the context of a question", () => {
  it("goes back until a question says its subject, over three questions at most", () => {
    const asked = ["How much does a licence cost?", "And for a team?", "And for a school?"];
    expect(searchQuery("Why?", turns("Where do you live?", ...asked)).text).toBe(
      ["Why?", ...asked.toReversed()].join("\n"),
    );
    const endless = turns("What is a licence?", "And a?", "And b?", "And c?");
    expect(searchQuery("Why?", endless).text).toBe("Why?\nAnd c?\nAnd b?\nAnd a?");
  });

  it("passes over courtesy and over the same question", () => {
    const history = turns("How much does a licence cost?", "Thanks!", "And for a team?");
    expect(searchQuery("And for a team?", history).text).toBe(
      "And for a team?\nHow much does a licence cost?",
    );
  });

  it("is short, however long a question was", () => {
    const before = `How much is ${Array.from({ length: 900 }, (_, i) => `word${i}`).join(" ")}?`;
    const { text } = searchQuery("And for a team?", turns(before));
    expect(text.length).toBeLessThan(300);
    expect(text).toContain("word1 word2");
  });

  it("is left out of what is quoted, unless the question has no word of its own", () => {
    const history = turns("How much does a licence cost?");
    expect(searchQuery("And for a team?", history).asked).toBe("And for a team?");
    expect(searchQuery("Why?", history).asked).toBe("Why?\nHow much does a licence cost?");
  });
});
