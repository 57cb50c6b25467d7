// What a receipt says of an answer once its query is over, and what the same ask
// gets then.

import { describe, expect, it } from "vitest";
import type { QueryRow } from "../../src/user/queries.ts";
import { isReplayable, storedAnswer, wasWhole } from "../../src/user/receipt.ts";

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

describe("the same ask", () => {
  const stored = (outcome: Outcome, answer: string | null, chosen: boolean) =>
    storedAnswer({ ...outcome, answer } as QueryRow, { chosen });

  it("gets a stored answer, with a key or without", () => {
    for (const chosen of [true, false]) {
      expect(stored(WHOLE[0] as Outcome, "Yes.", chosen)).toMatchObject({ answer: "Yes." });
      expect(OTHERS.map((row) => stored(row, null, chosen))).toEqual(OTHERS.map(() => undefined));
      expect(storedAnswer(undefined, { chosen })).toBeUndefined();
    }
  });

  it("is refused under the key of a deleted answer, unless that was refunded", () => {
    const [charged, nothingFound, refunded] = WHOLE as [Outcome, Outcome, Outcome];
    for (const row of [charged, nothingFound]) {
      expect(() => stored(row, null, true)).toThrow(/was deleted/);
      expect(stored(row, null, false)).toBeUndefined();
    }
    expect(stored(refunded, null, true)).toBeUndefined();
  });
});
