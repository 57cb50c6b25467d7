import { describe, expect, it } from "vitest";
import { kept } from "../src/kept.ts";

type Variables = { A?: string; B?: string; C?: string };

describe("a configuration that is kept", () => {
  it("depends on those that its last reading read", () => {
    let readings = 0;
    const config = kept((env: Variables) => {
      readings += 1;
      return env.A === "b" ? env.B : env.C;
    });
    expect(config({ A: "b", B: "1", C: "2" })).toBe("1");
    expect(config({ A: "b", B: "1", C: "3" })).toBe("1");
    expect(readings).toBe(1);
    expect(config({ A: "b", B: "4", C: "3" })).toBe("4");
    expect(config({ A: "c", B: "4", C: "3" })).toBe("3");
    expect(config({ A: "c", B: "5", C: "6" })).toBe("6");
    expect(readings).toBe(4);
  });

  it("is read again after it could not be read, and when it is missing", () => {
    const config = kept(({ A }: Variables) => {
      if (A === "wrong") throw new Error(A);
      return A;
    });
    expect(() => config({ A: "wrong" })).toThrow("wrong");
    expect(config({})).toBeUndefined();
    expect(config({ A: "right" })).toBe("right");
    expect(() => config({ A: "wrong" })).toThrow("wrong");
    expect(config({ A: "right" })).toBe("right");
  });
});
