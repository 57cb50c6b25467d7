import { expect, it } from "vitest";
import { coverageMin } from "../../src/generators/coverage-min.ts";

it("asks less coverage of a query with many words", () => {
  const few = coverageMin("What is the limit?");
  const many = coverageMin(
    "Which limit holds for users without token who asked twenty questions yesterday evening before midnight?",
  );
  expect(few).toBeGreaterThan(many);
  expect(coverageMin(`Hi! ${"What is the limit?"} Many thanks in advance!`)).toBe(few);
});

it("asks less coverage of Chinese than of Japanese, which has particles that all passages have", () => {
  const chinese = coverageMin("没有登录的用户每天最多可以提出几个问题才不会被收费？");
  expect(chinese).toBeLessThan(
    coverageMin("ログインしていない利用者は一日にいくつの質問ができますか"),
  );
});

it("asks more coverage of Vietnamese, whose syllables are words", () => {
  const vietnamese = coverageMin("người dùng được hỏi bao nhiêu câu mỗi ngày");
  expect(vietnamese).toBeGreaterThan(coverageMin("daily question limit without token"));
});
