// Calls with a timeout, on a fake clock that counts its timers.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { abortable, withTimeout } from "../src/deadline.ts";

const late = () => new Error("late");
const never = () => new Promise<never>(() => {});

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a call with a timeout", () => {
  it("returns what the call returns, and clears its timer", async () => {
    expect(await withTimeout(1_000, late, async () => 5)).toBe(5);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("throws what the call throws, and clears its timer", async () => {
    const call = () => Promise.reject(new Error("broken"));
    await expect(withTimeout(1_000, late, call)).rejects.toThrow("broken");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("clears its timer when the call throws before it returns a promise", async () => {
    const call = () => {
      throw new Error("broken");
    };
    await expect(withTimeout(1_000, late, call)).rejects.toThrow("broken");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("throws the error for its timeout, even if the call ignores the signal", async () => {
    let signal: AbortSignal | undefined;
    const result = withTimeout(1_000, late, (given) => {
      signal = given;
      return never();
    });
    const check = expect(result).rejects.toThrow("late");
    await vi.advanceTimersByTimeAsync(999);
    expect(signal?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await check;
    expect(signal?.reason).toEqual(late());
  });

  it("throws the outer signal's reason as soon as that aborts, and clears its timer", async () => {
    const outer = new AbortController();
    let signal: AbortSignal | undefined;
    const result = withTimeout(
      1_000,
      late,
      (given) => {
        signal = given;
        return never();
      },
      outer.signal,
    );
    outer.abort(new Error("cancelled"));
    await expect(result).rejects.toThrow("cancelled");
    expect(signal?.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("an abortable promise", () => {
  it("settles as the promise does, and stops listening to the signal", async () => {
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, "removeEventListener");
    expect(await abortable(Promise.resolve(5), signal)).toBe(5);
    await expect(abortable(Promise.reject(new Error("broken")), signal)).rejects.toThrow("broken");
    expect(remove).toHaveBeenCalledTimes(2);
  });

  it("rejects at once if the signal has aborted before", async () => {
    const signal = AbortSignal.abort(new Error("cancelled"));
    await expect(abortable(never(), signal)).rejects.toThrow("cancelled");
  });

  it("reports no unhandled rejection when the promise fails after the abort", async () => {
    const controller = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    const check = expect(abortable(promise, controller.signal)).rejects.toThrow("cancelled");
    controller.abort(new Error("cancelled"));
    await check;
    // Vitest fails a run with an unhandled rejection.
    reject(new Error("broken"));
    await vi.advanceTimersByTimeAsync(0);
  });
});
