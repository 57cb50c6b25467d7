// What the console shows before anyone has asked.

import { describe, expect, it } from "vitest";
import { expectProblems, goTo, operatorAt } from "./operators.ts";

describe("the console of a deployment that no one has asked yet", () => {
  it("says so in each part", async () => {
    // A collection begins with its first document.
    expectProblems(/status of 404/);
    const visit = await operatorAt("overview");
    for (const [part, words] of [
      ["overview", "No question was asked in this time."],
      ["users", "There is no such user."],
      ["questions", "No question was asked in this time."],
      ["questions/top", "No question was asked in this time."],
      ["questions/all", "There is no such question."],
      ["feedback", "No answer was rated yet."],
      ["documents/empty", "This collection has no documents yet."],
      ["documents/default/none", "There is no such document."],
    ] as const) {
      await goTo(visit, part);
      await visit.page.getByText(words).waitFor();
      const picture = `console-empty-${part.replaceAll("/", "-")}`;
      expect([part, await visit.look(picture)]).toEqual([part, []]);
    }
  });
});
