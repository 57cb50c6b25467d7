// The turns before a question, as the query log has them.

import { expect, it } from "vitest";
import { turnsUpTo } from "../../src/user/conversation.ts";
import type { QueryRow } from "../../src/user/queries.ts";

type Kept = Partial<Pick<QueryRow, "query" | "answer">>;

/** A log in which each query follows the one before it. */
function logOf(...kept: readonly Kept[]) {
  const rows = new Map<string, QueryRow>();
  for (const [n, row] of kept.entries()) {
    const previous = n === 0 ? null : `${n - 1}`;
    const texts = { query: `Question ${n}?`, answer: `Answer ${n}.` };
    rows.set(`${n}`, { ...texts, ...row, previous } as QueryRow);
  }
  const last = rows.get(`${kept.length - 1}`) as QueryRow;
  let reads = 0;
  const get = (id: string) => {
    reads += 1;
    return rows.get(id);
  };
  return { last, rows, get, reads: () => reads };
}

function contents(log: ReturnType<typeof logOf>, turnsMax = 20): string[] {
  return turnsUpTo(log.last, log, turnsMax).map(({ content }) => content);
}

it("follows the queries back, and gives their turns oldest first", () => {
  expect(turnsUpTo(logOf({}).last, logOf({}), 20)).toEqual([
    { role: "user", content: "Question 0?" },
    { role: "assistant", content: "Answer 0." },
  ]);
  expect(contents(logOf({}, {}))).toEqual(["Question 0?", "Answer 0.", "Question 1?", "Answer 1."]);
});

it("leaves out a query without an answer, and goes on before it", () => {
  const log = logOf({}, { answer: null }, {});
  expect(contents(log)).toEqual(["Question 0?", "Answer 0.", "Question 2?", "Answer 2."]);
});

it("ends at a query whose texts are deleted", () => {
  const log = logOf({}, { query: null, answer: null }, {});
  expect(contents(log)).toEqual(["Question 2?", "Answer 2."]);
});

it("ends at a query that is deleted", () => {
  const log = logOf({}, {}, {});
  log.rows.delete("1");
  expect(contents(log)).toEqual(["Question 2?", "Answer 2."]);
});

it("gives the latest turns of a long conversation, and reads no more than those", () => {
  const log = logOf(...Array.from({ length: 30 }, () => ({})));
  expect(contents(log, 4)).toEqual(["Question 28?", "Answer 28.", "Question 29?", "Answer 29."]);
  expect(log.reads()).toBeLessThanOrEqual(4);
});

it("ends before turns that no body had room for", () => {
  const log = logOf({}, { answer: "a".repeat(64 * 1024) }, {});
  expect(contents(log)).toEqual(["Question 2?", "Answer 2."]);
});

it("reads a bounded number of queries that were not answered", () => {
  const log = logOf(...Array.from({ length: 1_000 }, () => ({ answer: null })));
  expect(contents(log)).toEqual([]);
  expect(log.reads()).toBeLessThanOrEqual(20);
});
