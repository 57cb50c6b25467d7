// How long the asks of an isolate know where a collection is.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { KnownCollections } from "../../src/corpus/known-collections.ts";

let keys: Map<string, string>;
let asked: (readonly string[])[];

beforeEach(() => {
  vi.useFakeTimers();
  keys = new Map([
    ["home", "key of home"],
    ["cabin", "key of cabin"],
  ]);
  asked = [];
});

afterEach(() => vi.useRealTimers());

function known() {
  return new KnownCollections(async (names) => {
    asked.push(names);
    return names.flatMap((name) => {
      const key = keys.get(name);
      return key === undefined ? [] : [{ name, key }];
    });
  });
}

it("asks once for names that are asked for again within two seconds", async () => {
  const collections = known();
  for (let i = 0; i < 3; i += 1) {
    expect([...(await collections.keysOf(["home", "cabin"]))]).toEqual([...keys]);
    vi.advanceTimersByTime(600);
  }
  expect(asked).toEqual([["home", "cabin"]]);
});

it("asks again after two seconds, and then knows a change", async () => {
  const collections = known();
  await collections.keysOf(["home"]);
  keys.delete("home");
  keys.set("cabin", "another key");
  vi.advanceTimersByTime(2_001);
  expect([...(await collections.keysOf(["home", "cabin"]))]).toEqual([["cabin", "another key"]]);
});

it("asks each time for a collection that does not exist, and for no other", async () => {
  const collections = known();
  await collections.keysOf(["home"]);
  expect((await collections.keysOf(["home", "new"])).has("new")).toBe(false);
  keys.set("new", "key of new");
  expect((await collections.keysOf(["home", "new"])).get("new")).toBe("key of new");
  expect(asked).toEqual([["home"], ["new"], ["new"]]);
});

it("never asks for default", async () => {
  expect([...(await known().keysOf(["default"]))]).toEqual([["default", "corpus"]]);
  expect(asked).toEqual([]);
});

it("asks again if the clock was set back", async () => {
  const collections = known();
  await collections.keysOf(["home"]);
  vi.setSystemTime(Date.now() - 60_000);
  await collections.keysOf(["home"]);
  expect(asked).toHaveLength(2);
});
