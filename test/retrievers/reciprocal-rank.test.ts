// Reciprocal rank fusion against sums by hand, and by properties of any lists.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fuse } from "../../src/retrievers/reciprocal-rank.ts";

const list = (ids: string) => Array.from(ids, (id) => ({ id }));
const fused = (...lists: string[]) =>
  fuse(lists.map(list))
    .map(({ id }) => id)
    .join("");

describe("fusion", () => {
  it("prefers an item of both lists to a higher one of a single list", () => {
    // b: 1/62 + 1/61 = .0325; c: 1/63 + 1/62 = .0320; a: 1/61 = .0164; d: 1/63 = .0159
    expect(fused("abc", "bcd")).toBe("bcad");
    // Last in both lists of twenty, 2/80 = .0250, is more than first in one of them, 1/61 = .0164.
    expect(fused("abcdefghijklmnopqrsX", "ABCDEFGHIJKLMNOPQRSX")[0]).toBe("X");
  });

  it("gives higher ranks more weight", () => {
    // a: 1/61 + 1/64 = .03202; b: 1/62 + 1/63 = .03200; c: 1/63 + 1/62; d: 1/64 + 1/61
    expect(fused("abcd", "dcba")).toBe("adbc");
    // a: 1/61 + 1/63 = .03227; b: 1/62 + 1/62 = .03226; c: 1/63 + 1/61 = .03227
    expect(fused("abc", "cba")).toBe("acb");
  });

  it("keeps a single list, also beside an empty one, as it is", () => {
    expect(fused("abc")).toBe("abc");
    expect(fused("abc", "")).toBe("abc");
    expect(fused("", "abc")).toBe("abc");
    expect(fused("", "")).toBe("");
    expect(fuse([])).toEqual([]);
  });

  it("prefers the first list among equals", () => {
    expect(fused("a", "b")).toBe("ab");
    expect(fused("b", "a")).toBe("ba");
  });

  it("counts an item once per list, at its first place", () => {
    expect(fused("aab", "b")).toBe(fused("ab", "b"));
    expect(fused("aab")).toBe("ab");
  });

  it("returns the first list's version of an item", () => {
    const [first] = fuse([[{ id: "a", from: 1 }], [{ id: "a", from: 2 }]]);
    expect(first).toEqual({ id: "a", from: 1 });
  });
});

describe("fusion of any lists", () => {
  const ids = fc.uniqueArray(fc.stringMatching(/^[a-h]$/), { maxLength: 8 });
  const lists = fc.array(
    ids.map((all) => all.map((id) => ({ id }))),
    { maxLength: 4 },
  );

  it("returns each item once, and nothing else", () => {
    fc.assert(
      fc.property(lists, (all) => {
        const found = fuse(all).map(({ id }) => id);
        expect(found.toSorted()).toEqual([...new Set(all.flat().map(({ id }) => id))].sort());
      }),
    );
  });

  it("never puts an item before one that is higher in every list with either", () => {
    fc.assert(
      fc.property(lists, (all) => {
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

  it("orders by the sums of 1 / (60 + rank)", () => {
    fc.assert(
      fc.property(lists, (all) => {
        const sum = (id: string) =>
          all.reduce((whole, one) => {
            const place = one.findIndex((item) => item.id === id) + 1;
            return place === 0 ? whole : whole + 1 / (60 + place);
          }, 0);
        const sums = fuse(all).map(({ id }) => sum(id));
        expect(sums).toEqual(sums.toSorted((a, b) => b - a));
      }),
    );
  });
});
