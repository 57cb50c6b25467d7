// Fusion against sums by hand, and by properties of any lists.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fuse } from "../../src/retrievers/fusion.ts";

type Item = { id: string; relevance?: number };

/** `a9 b4` is the item a with the score 9, then b with 4. */
const list = (items: string): Item[] =>
  (items.match(/\S+/g) ?? []).map((item) => {
    const score = item.slice(1);
    return score === "" ? { id: item } : { id: item[0] ?? "", relevance: Number(score) };
  });
const ids = (lists: readonly (readonly Item[])[]) =>
  fuse(lists)
    .map(({ id }) => id)
    .join("");
const fused = (...lists: string[]) => ids(lists.map(list));

describe("fusion by scores", () => {
  it("adds the scores, normalised by the highest and the lowest of each list", () => {
    // a: 1 + 0; b: .5 + 1; c: 0 + .25
    const found = fuse([list("a30 b20 c10"), list("b0.9 c0.6 a0.5")]);
    expect(found).toEqual([
      { id: "b", relevance: 1.5 },
      { id: "a", relevance: 1 },
      { id: "c", relevance: expect.closeTo(0.25) },
    ]);
  });

  it("does not depend on the scales, nor on where they begin", () => {
    const order = fused("a9 b7 c1", "c9 d8 a1");
    expect(fused("a900 b700 c100", "c9 d8 a1")).toBe(order);
    expect(fused("a-1 b-3 c-9", "c9 d8 a1")).toBe(order);
  });

  it("keeps a clear winner of one list first, which ranks alone do not show", () => {
    // a: 1 + .6; b: .09 + 1. By ranks b is first: 1/62 + 1/61 > 1/61 + 1/65.
    expect(fused("a100 b9 c0", "b10 c9 d8 e7 a6 z0").slice(0, 2)).toBe("ab");
    expect(fused("a b c", "b c d e a z")[0]).toBe("b");
  });

  it("lets ranks decide between equal sums, then the order of the lists", () => {
    // Both have 0: b is last in a list, z is last in the longer one.
    expect(fused("a2 b1", "x3 y2 z1")).toBe("axybz");
    expect(fused("a2 b1", "x2 y1")).toBe("axby");
  });
});

describe("fusion by ranks, where scores have no scale", () => {
  // b: 1/62 + 1/61 = .0325; c: 1/63 + 1/62 = .0320; a: 1/61 = .0164; d: 1/63 = .0159
  it.each([
    ["no list has scores", "a b c", "b c d"],
    ["one has none", "a9 b8 c7", "b c d"],
    ["all scores of a list are equal", "a9 b8 c7", "b5 c5 d5"],
    ["a score is no number", "a9 b8 c7", "b9 cNaN d1"],
    ["the first is no number", "aNaN b8 c7", "b9 c8 d1"],
    ["a score is infinite", "a9 b8 c7", "bInfinity c2 d1"],
    ["the last is infinite", "a9 b8 c7", "b3 c2 d-Infinity"],
    ["the distance between them is infinite", "a9 b8 c7", "b1e308 c0 d-1e308"],
    ["distances were taken for scores", "a9 b8 c7", "b1 c2 d3"],
    ["the scores are in no order", "a9 b8 c7", "b3 c5 d1"],
  ])("it is used if %s", (_, first, second) => {
    expect(fused(first, second)).toBe("bcad");
    expect(fused(second, first)[0]).toBe("b");
  });

  it("is used for a list of one item, which would count as the worst or as the best", () => {
    // b: 1/62 + 1/61; a: 1/61; c: 1/63
    expect(fused("a9 b1 c0", "b0.3")).toBe("bac");
    expect(fused("a9 b1 c0", "x0.3")).toBe("axbc");
  });

  it("has sums of 1 / (60 + rank) as relevance", () => {
    expect(fuse([list("a b"), list("b")])).toEqual([
      { id: "b", relevance: 1 / 62 + 1 / 61 },
      { id: "a", relevance: 1 / 61 },
    ]);
  });
});

describe("fusion", () => {
  it("keeps a single list, also beside an empty one, as it is", () => {
    for (const one of ["a b c", "a9 b8 c0", "a1 b1 c1", "aNaN bNaN cNaN", "a1 b2 c3"]) {
      expect(fused(one)).toBe("abc");
      expect(fused(one, "")).toBe("abc");
      expect(fused("", one)).toBe("abc");
    }
    expect(fused("", "")).toBe("");
    expect(fuse([])).toEqual([]);
  });

  it("counts an item once per list, at its first place", () => {
    expect(fused("a9 a8 b1", "b9 c8")).toBe(fused("a9 b1", "b9 c8"));
    expect(fused("a a b")).toBe("ab");
  });

  it("returns the first list's version of an item", () => {
    const [first] = fuse([[{ id: "a", from: 1 }], [{ id: "a", from: 2 }]]);
    expect(first).toMatchObject({ id: "a", from: 1 });
  });
});

describe("fusion of any lists", () => {
  const score = fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: -5, max: 5 }) },
    fc.double(),
    fc.constant(undefined),
  );
  const items = (relevance: fc.Arbitrary<number | undefined>) =>
    fc.array(
      fc.array(fc.record({ id: fc.stringMatching(/^[a-h]$/), relevance }) as fc.Arbitrary<Item>, {
        maxLength: 8,
      }),
      { maxLength: 4 },
    );
  /** As searches return them: each item once, best first. */
  const sorted = items(fc.integer({ min: -9, max: 9 })).map((lists) =>
    lists.map((all) =>
      all
        .filter(({ id }, i) => all.findIndex((other) => other.id === id) === i)
        .sort((a, b) => (b.relevance ?? 0) - (a.relevance ?? 0)),
    ),
  );

  it("returns each item once, and nothing else, whatever the scores are", () => {
    fc.assert(
      fc.property(items(score), (all) => {
        const found = fuse(all);
        const expected = [...new Set(all.flat().map(({ id }) => id))].sort();
        expect(found.map(({ id }) => id).toSorted()).toEqual(expected);
        for (const { relevance } of found) expect(relevance).toBeGreaterThanOrEqual(0);
        const sums = found.map(({ relevance }) => relevance);
        expect(sums).toEqual(sums.toSorted((a, b) => b - a));
      }),
    );
  });

  it("never puts an item before one that is higher in every list with either", () => {
    fc.assert(
      fc.property(sorted, (all) => {
        const found = fuse(all).map(({ id }) => id);
        const places = (id: string) =>
          all.map((one) => {
            const place = one.findIndex((item) => item.id === id);
            return place === -1 ? Number.POSITIVE_INFINITY : place;
          });
        for (const [i, later] of found.entries()) {
          for (const earlier of found.slice(0, i)) {
            const [a, b] = [places(earlier), places(later)];
            const better = b.every((place, n) => place <= (a[n] ?? 0));
            const strictly = b.some((place, n) => place < (a[n] ?? 0));
            expect(better && strictly, `${later} before ${earlier}`).toBe(false);
          }
        }
      }),
    );
  });

  it("does not change when the scores of a list are scaled or shifted", () => {
    fc.assert(
      fc.property(sorted, fc.constantFrom(2, 8, 0.5), fc.integer(), (all, factor, shift) => {
        const moved = all.map((one) =>
          one.map(({ id, relevance = 0 }) => ({ id, relevance: factor * relevance + shift })),
        );
        expect(ids(moved)).toBe(ids(all));
      }),
    );
  });
});
