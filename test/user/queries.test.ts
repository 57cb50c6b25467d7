// What the query log says of an answer once its query is over.

import { describe, expect, it } from "vitest";
import { isReplayable, type QueryRow, wasWhole } from "../../src/user/queries.ts";

type Outcome = Pick<QueryRow, "state" | "reason">;

const WHOLE: Outcome[] = [
  { state: "charged", reason: null },
  { state: "refunded", reason: "nothing_found" },
  { state: "refunded", reason: "operator" },
];
const OTHERS: Outcome[] = [
  { state: "reserved", reason: null },
  { state: "refunded", reason: "disconnected" },
  { state: "refunded", reason: "cancelled" },
  { state: "refunded", reason: "failed" },
  { state: "refunded", reason: "expired" },
];

describe("an answer", () => {
  it("was whole if it was charged, or refunded for another reason than its end", () => {
    expect(WHOLE.filter(wasWhole)).toEqual(WHOLE);
    expect(OTHERS.filter(wasWhole)).toEqual([]);
  });

  it("is given again if it was whole, unless an operator refunded it", () => {
    const [charged, nothingFound] = WHOLE;
    const isGivenAgain = (row: Outcome) => isReplayable({ ...row, answer: "Yes." });
    expect([...WHOLE, ...OTHERS].filter(isGivenAgain)).toEqual([charged, nothingFound]);
  });

  it("is not given again once its text is deleted", () => {
    expect(WHOLE.some((row) => isReplayable({ ...row, answer: null }))).toBe(false);
  });
});
