import { describe, expect, it } from "vitest";
import { questionGroups, tellingWords, typedWords } from "../../src/text/question-groups.ts";

const asked = (texts: readonly string[], times = 1) =>
  texts.map((text) => ({ typed: typedWords(text), words: tellingWords(text), times }));

/** The texts of each group. */
function grouped(texts: readonly string[], others: readonly string[] = [], max = 10) {
  return questionGroups(asked(texts), asked(others), max).map(({ members }) =>
    members.map((i) => texts[i]),
  );
}

describe("questions are grouped", () => {
  it("by a word that they share, in any of its forms", () => {
    const kayaks = ["Do you rent out kayaks?", "What does a kayak cost?", "kayak at the weekend"];
    const dogs = ["May I bring my dog?", "Are dogs welcome?"];
    const texts = [...kayaks, ...dogs, "Where is the sauna?"];
    expect(grouped(texts)).toEqual([kayaks, dogs]);
  });

  it("not by a word that answered questions have as often", () => {
    const texts = ["What does a kayak cost?", "What does a sauna cost?"];
    const answered = ["What does a helmet cost?", "What does the lock cost?"];
    expect(grouped(texts)).toEqual([texts]);
    expect(grouped(texts, answered)).toEqual([]);
  });

  it("not by a typing error in a word that answered questions have", () => {
    const things = ["helmet", "lock", "deposit", "reservation", "puncture"];
    const answered = things.flatMap((thing) =>
      Array.from({ length: 30 }, () => `How does the ${thing} work?`),
    );
    const slips = things.flatMap((thing) => [
      ...[`How does the ${thing} wrk?`, `How does the ${thing} wokr?`],
      ...[`How does the ${thing} worrk?`, `How does the ${thing} wok?`],
    ]);
    expect(grouped(slips, answered)).toEqual([]);
  });

  it("not by a typing error in a word that tells nothing, such as a greeting", () => {
    const polite = (thing: string) => `hello, could you tell me about ${thing}? thanks`;
    const things = ["a helmet", "the lock", "deposits", "reservations", "a puncture"];
    const answered = things.flatMap((thing) => Array.from({ length: 30 }, () => polite(thing)));
    const slips = things.flatMap((thing) => [
      ...[polite(thing).replace("could", "coould"), polite(thing).replace("could", "culd")],
      ...[polite(thing).replace("hello", "helo"), polite(thing).replace("hello", "helol")],
    ]);
    expect(grouped(slips, answered)).toEqual([]);
  });

  it("by a word that is near a usual one, where its other words are not those of that one", () => {
    const answered = Array.from({ length: 100 }, () => "What does a bike cost?");
    const bites = ["A dog wants to bite me", "Do dogs bite here?", "dog bite"];
    expect(grouped(bites, answered)).toEqual([bites]);
  });

  it("by a pair of words, where each alone is answered", () => {
    const texts = ["Can I cancel a guided tour?", "How do I cancel the guided tour?"];
    const answered = [
      ...["Can I cancel a booking?", "How do I cancel the booking?", "Cancel my rental"],
      ...["What does a guided tour cost?", "Who leads the guided tour?", "Guided tour in May"],
    ];
    const [group] = questionGroups(asked(texts), asked(answered), 10);
    expect(group?.members).toEqual([0, 1]);
    expect(group?.common).toContain("cancel");
    expect(group?.common.some((word) => ["guided", "tour"].includes(word))).toBe(true);
  });

  it("into one group for each thing that is asked again and again", () => {
    const sessions = ["session store in redis", "redis session store?", "a session in redis"];
    const caches = ["redis cache expiry", "When does the redis cache expire?", "cache in redis"];
    const often = (texts: readonly string[]) => asked(texts, 3);
    const texts = [...sessions, ...caches];
    const groups = questionGroups(often(texts), [], 10).map(({ members }) => members.toSorted());
    expect(groups.toSorted()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    // Once each, the word that they share is all that there is to see.
    expect(grouped([sessions[0] ?? "", caches[0] ?? ""])).toHaveLength(1);
  });

  it("not by one word of long sentences, such as an article of an unknown language", () => {
    const texts = [
      "Mili ba torenu gasil vekora pamin dulefo",
      "Hasuna ba perido lumeka tarosi venilu gatomi",
      "Corefa ba nusilo demara pelutin sakoro wimane",
    ];
    expect(grouped(texts)).toEqual([]);
  });

  it("under a word as it was typed most, not as it was misspelt", () => {
    const texts = ["Do you take paypall?", "paypal invoices", "Is PayPal possible?"];
    const [group] = questionGroups(asked(texts), [], 10);
    expect(group?.members).toEqual([0, 1, 2]);
    expect(group?.common[0]).toBe("paypal");
  });

  it("in spite of a typing error", () => {
    const texts = ["two-factor login with codes", "tow-factor login with codes", "the sauna"];
    expect(grouped(texts)).toEqual([texts.slice(0, 2)]);
  });

  it("in Chinese, by words of more than one character", () => {
    const texts = ["可以租皮划艇吗?", "皮划艇多少钱?", "附近有桑拿吗?"];
    const [group, ...rest] = questionGroups(asked(texts), [], 10);
    expect(group).toEqual({ common: ["皮划艇"], members: [0, 1] });
    expect(rest).toEqual([]);
  });

  it("also where one was asked in the same words again", () => {
    const [group, ...rest] = questionGroups(asked(["Is there a sauna?"], 2), [], 10);
    expect(group).toEqual({ common: ["sauna"], members: [0] });
    expect(rest).toEqual([]);
  });

  it("the largest group first, and no more groups than wanted", () => {
    const dogs = ["a dog?", "two dogs?"];
    const kayaks = ["a kayak?", "two kayaks?", "red kayaks?"];
    expect(grouped([...dogs, ...kayaks], [], 1)).toEqual([kayaks]);
  });

  it("each into one group at most, and alike each time", () => {
    const texts = ["kayak dog", "kayak cat", "dog bird", "cat bird", "kayak bird"];
    const groups = grouped(texts);
    expect(groups).toEqual(grouped(texts));
    const all = groups.flat();
    expect(new Set(all).size).toBe(all.length);
  });
});

it("no questions are no groups", () => {
  expect(questionGroups([], asked(["What does a helmet cost?"]), 10)).toEqual([]);
  expect(questionGroups(asked(["", "?"]), [], 10)).toEqual([]);
});
