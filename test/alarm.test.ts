// An object's one alarm, on a fake storage:
// a real one cannot be made to refuse.

import { afterEach, describe, expect, it, vi } from "vitest";
import { Alarm } from "../src/alarm.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Each call of setAlarm settles on demand, in any order. */
function newAlarm() {
  vi.useFakeTimers();
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const calls: { at: number; answer: PromiseWithResolvers<void> }[] = [];
  const setAlarm = (at: number) => {
    const answer = Promise.withResolvers<void>();
    calls.push({ at, answer });
    return answer.promise;
  };
  const alarm = new Alarm({ setAlarm } as unknown as DurableObjectStorage);
  const settle = async (call: number, refused = false) => {
    const answer = calls[call]?.answer;
    if (refused) answer?.reject(new Error("refused"));
    else answer?.resolve();
    await vi.advanceTimersByTimeAsync(0);
  };
  const times = () => calls.map(({ at }) => at);
  return { alarm, settle, times, log };
}

describe("an alarm", () => {
  it("is never postponed once it is set", async () => {
    const { alarm, settle, times } = newAlarm();
    alarm.set(2_000);
    await settle(0);
    alarm.set(3_000);
    alarm.set(2_000);
    expect(times()).toEqual([2_000]);
    alarm.set(1_000);
    expect(times()).toEqual([2_000, 1_000]);
    alarm.clear();
    expect(alarm.isSet).toBe(false);
    alarm.set(3_000);
    expect(times()).toEqual([2_000, 1_000, 3_000]);
  });

  it("is set again a second after storage has refused it", async () => {
    const { alarm, settle, times, log } = newAlarm();
    alarm.set(2_000);
    await settle(0, true);
    expect(alarm.isSet).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(times()).toEqual([2_000, 2_000]);
    expect(alarm.isSet).toBe(true);
    expect(log).toHaveBeenCalledTimes(1);
  });

  it("that storage refuses does not replace an earlier one", async () => {
    const { alarm, settle, times } = newAlarm();
    alarm.set(2_000);
    alarm.set(1_000);
    await settle(1);
    await settle(0, true);
    expect(alarm.isSet).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(times()).toEqual([2_000, 1_000]);
  });
});
