import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { remembered } from "../../src/text/remembered.ts";

describe("a function of texts that remembers", () => {
  it("gives what the function gives, and reads a text that came lately only once", () => {
    const read: string[] = [];
    const lengths = remembered((text) => {
      read.push(text);
      return [...text].length;
    }, 8);
    expect(["abc", "", "de", "abc", ""].map(lengths)).toEqual([3, 0, 2, 3, 0]);
    expect(read).toEqual(["abc", "", "de"]);
    // The least recent goes first.
    expect(["fghi", "abc", "de"].map(lengths)).toEqual([4, 3, 2]);
    expect(read).toEqual(["abc", "", "de", "fghi", "de"]);
  });

  it("keeps no more than its limit", () => {
    const texts = fc.array(fc.string({ maxLength: 6 }), { maxLength: 40 });
    fc.assert(
      fc.property(texts, fc.nat(20), (texts, limit) => {
        let reads = 0;
        const upper = remembered((text) => {
          reads += 1;
          return text.toUpperCase();
        }, limit);
        // What is kept is what the last texts of this length are.
        let kept: string[] = [];
        for (const text of texts) {
          const before = reads;
          expect(upper(text)).toBe(text.toUpperCase());
          expect(reads - before).toBe(kept.includes(text) ? 0 : 1);
          kept = [...kept.filter((other) => other !== text), text];
          while (kept.join("").length > limit) kept.shift();
        }
      }),
    );
  });

  it("remembers a result that is undefined", () => {
    let reads = 0;
    const nothing = remembered(() => {
      reads += 1;
      return undefined;
    }, 10);
    expect([nothing("a"), nothing("a"), reads]).toEqual([undefined, undefined, 1]);
  });
});
