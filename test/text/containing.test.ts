// What a search of one's own queries finds.

import { describe, expect, it } from "vitest";
import { containsAll, searchWords } from "../../src/text/containing.ts";

function finds(search: string, text: string): boolean {
  return containsAll(text, searchWords(search));
}

describe("a search", () => {
  it.each([
    ["of another case", "CHARGED when", "When am I charged?"],
    ["without accents", "uber creme", "Über die Crème brûlée"],
    ["with accents", "crème", "CREME BRULEE"],
    ["of composed letters", "caf\u00e9", "cafe\u0301"],
    ["of another spelling of a letter", "strasse", "In der Straße"],
    ["of a Turkish capital", "istanbul", "İSTANBUL"],
    ["of a Greek capital", "ΟΔΟΣ", "οδός"],
    ["of a full-width form", "ABC123", "ＡＢＣ１２３"],
    ["of a typographic apostrophe", "don't", "I don’t know"],
    ["of a part of a word", "harg", "charged"],
    ["in another order", "refund quota", "The quota of a refund."],
    ["of Chinese without spaces", "退款政策", "我们的退款政策是什么？"],
    ["of the other Chinese script", "退款規則", "退款规则"],
    ["of Japanese", "料金", "無料金額の料金はいくらですか"],
    ["of Korean", "환불", "환불은 언제 되나요?"],
    ["of Thai", "คืนเงิน", "ฉันจะได้คืนเงินเมื่อไร"],
    ["of Thai with a vowel that has two forms", "\u0e19\u0e4d\u0e32", "\u0e19\u0e33"],
    ["of Arabic without vowel points", "متى", "مَتَى يتم الخصم؟"],
    ["of another form of an Arabic letter", "الفاتوره", "الفاتورة الشهرية"],
    ["of Hebrew without points", "שלום", "שָׁלוֹם"],
    ["of Hindi", "शुल्क", "मुझसे शुल्क कब लिया जाता है?"],
    ["of an emoji", "🚢", "Ships 🚢 in the fog"],
    ["of signs", "c++ 100% a_b", "a_b in C++ at 100% speed"],
    ["with spaces of all kinds", "\u3000quota\u00a0\n fog ", "fog and quota"],
  ])("%s finds the text", (_what, search, text) => {
    expect(finds(search, text)).toBe(true);
  });

  it.each([
    ["if one of its words is missing", "quota fog", "The quota."],
    ["by a per cent sign", "quo%", "The quota."],
    ["by an underscore", "quot_", "The quota."],
    ["by a dot", "quot.", "quota"],
    ["in which another letter has its vowel sign", "की", "का"],
    ["with a voiced sound", "か", "が"],
  ])("does not find a text %s", (_what, search, text) => {
    expect(finds(search, text)).toBe(false);
  });

  it.each(["", " ", "\u00ad", "\u200b \ufeff", "\u0640", "\u0301"])(
    "of %j has no words",
    (search) => {
      expect(searchWords(search)).toEqual([]);
    },
  );
});
