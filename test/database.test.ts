// The database of an object that all users share: when its tables are made, and
// what a database of a newer release does.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { Database } from "../src/database.ts";
import { Schema } from "../src/schema.ts";
import type { Env } from "../src/wiring.ts";

const SCHEMA = new Schema("CREATE TABLE kept (word TEXT NOT NULL);", "kept", []);

/** Runs with the storage of an object that has none yet. */
function withStorage(use: (storage: DurableObjectStorage) => void): Promise<void> {
  const { USERS } = env as unknown as Env;
  const stub = USERS.getByName(`database ${crypto.randomUUID()}`);
  return runInDurableObject(stub, (_, { storage }) => use(storage));
}

const wordsIn = ({ sql }: DurableObjectStorage) =>
  sql.exec<{ word: string }>("SELECT word FROM kept").toArray();

it("has no tables before the first write", () =>
  withStorage((storage) => {
    const database = new Database(storage, SCHEMA, "budget");
    database.check();
    expect(database.hasTables).toBe(false);
    database.write(() => storage.sql.exec("INSERT INTO kept VALUES ('one')"));
    expect([database.hasTables, wordsIn(storage)]).toEqual([true, [{ word: "one" }]]);
    expect(new Database(storage, SCHEMA, "budget").hasTables).toBe(true);
  }));

it("writes all or nothing", () =>
  withStorage((storage) => {
    const database = new Database(storage, SCHEMA, "budget");
    const half = () => {
      storage.sql.exec("INSERT INTO kept VALUES ('one')");
      throw new Error("half");
    };
    expect(() => database.write(half)).toThrow("half");
    expect(wordsIn(storage)).toEqual([]);
    database.write(() => storage.sql.exec("INSERT INTO kept VALUES ('two')"));
    expect(wordsIn(storage)).toEqual([{ word: "two" }]);
  }));

it("refuses what a newer release wrote, and changes nothing in it", () =>
  withStorage((storage) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    new Database(storage, SCHEMA, "budget").write(() => {});
    storage.sql.exec("UPDATE schema_version SET version = 2");
    const database = new Database(storage, SCHEMA, "directory");
    expect(log.mock.lastCall?.[0]).toBe("The database of the directory could not be opened:");
    log.mockRestore();
    const write = () => database.write(() => storage.sql.exec("DELETE FROM schema_version"));
    const refusal = expect.objectContaining({ code: "UNAVAILABLE" });
    expect(write).toThrow(refusal);
    expect(() => database.check()).toThrow("The directory is of another release.");
    expect(storage.sql.exec("SELECT version FROM schema_version").one()).toEqual({ version: 2 });
  }));
