// The best matches of terms that are not in memory, against FTS5.

import fc from "fast-check";
import { expect, it } from "vitest";
import { Matches } from "../../src/corpus/matches.ts";
import { Random } from "../support/random.ts";
import { byFts5, known, withIndex } from "./term-index.ts";

/** From common to rare: each is in about two thirds as many passages. */
const TERMS = "stone river bridge castle market harbour tower garden mill lantern".split(" ");
const PASSAGES = 3_000;
const ROWS_MAX = 1_000;

/** Random, and the same at each run. */
function passages(): string[][] {
  const random = new Random(1);
  return Array.from({ length: PASSAGES }, () => [
    ...TERMS.filter((_, rank) => random.next() < 0.45 * 0.66 ** rank).flatMap((term) =>
      Array<string>(1 + Math.floor(3 * random.next() ** 3)).fill(term),
    ),
    ...Array<string>(Math.floor(40 * random.next())).fill("filler"),
  ]);
}

it("gives the passages, the order and the scores of FTS5, by whatever queries", async () => {
  await withIndex(passages(), (sql) => {
    const ways = new Map<string, number>();
    const asked: SqlStorage = Object.create(sql, {
      exec: {
        value: (statement: string, ...values: unknown[]) => {
          const match = String(values[0]);
          if (statement.includes("ORDER BY rank")) {
            const way = match.includes(") AND (") ? "common too" : "alone";
            ways.set(way, (ways.get(way) ?? 0) + 1);
          }
          return sql.exec(statement, ...values);
        },
      },
    });
    fc.assert(
      fc.property(
        fc.subarray(TERMS, { minLength: 2 }),
        fc.integer({ min: 1, max: 20 }),
        (words, limit) => {
          const terms = known(sql, words).toSorted((a, b) => a.passages - b.passages);
          // A new instance has saved no rows for what goes into memory.
          const { hits } = new Matches(asked).best(terms, [], limit, ROWS_MAX);
          expect(hits).toEqual(byFts5(sql, terms, limit));
        },
      ),
      { numRuns: 200 },
    );
    expect([...ways.keys()].sort()).toEqual(["alone", "common too"]);
  });
});
