// Numbered migrations: each runs once, in order, and all or none.

import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { addColumn, type Migration, Schema } from "../src/schema.ts";
import { newUser } from "./harness.ts";

const TABLES = "CREATE TABLE notes (text TEXT, author TEXT, likes INTEGER) STRICT;";
const FIRST = "CREATE TABLE notes (text TEXT) STRICT; INSERT INTO notes VALUES ('kept');";

const addAuthor: Migration = (sql) => addColumn(sql, "notes", "author", "TEXT");
const addLikes: Migration = (sql) => addColumn(sql, "notes", "likes", "INTEGER");

/** Runs against a real database without tables. */
async function inDatabase<T>(run: (storage: DurableObjectStorage) => T): Promise<T> {
  const user = await newUser();
  return runInDurableObject(user.stub, (_object, { storage }) => run(storage));
}

const columnsOf = ({ sql }: DurableObjectStorage) =>
  sql
    .exec<{ name: string }>("SELECT name FROM pragma_table_info('notes')")
    .toArray()
    .map(({ name }) => name);

const versionOf = ({ sql }: DurableObjectStorage) =>
  sql.exec<{ version: number }>("SELECT version FROM schema_version").one().version;

it("makes no table where there is none", async () => {
  await inDatabase((storage) => {
    expect(new Schema(TABLES, "notes", []).open(storage)).toBe(false);
    expect(columnsOf(storage)).toEqual([]);
  });
});

it("makes a new database in the newest version", async () => {
  await inDatabase((storage) => {
    const schema = new Schema(TABLES, "notes", [addAuthor, addLikes]);
    schema.create(storage.sql);
    expect(schema.open(storage)).toBe(true);
    expect(versionOf(storage)).toBe(3);
  });
});

it("runs the migrations that a database lacks, each once", async () => {
  await inDatabase((storage) => {
    const runs: number[] = [];
    const counted =
      (number: number, migration: Migration): Migration =>
      (sql) => {
        runs.push(number);
        migration(sql);
      };
    const [one, two] = [counted(1, addAuthor), counted(2, addLikes)];
    storage.sql.exec(FIRST);
    new Schema(TABLES, "notes", [one]).open(storage);
    expect([versionOf(storage), columnsOf(storage)]).toEqual([2, ["text", "author"]]);
    for (let wake = 0; wake < 2; wake += 1) new Schema(TABLES, "notes", [one, two]).open(storage);
    expect([versionOf(storage), columnsOf(storage)]).toEqual([3, ["text", "author", "likes"]]);
    expect(runs).toEqual([1, 2]);
    expect(storage.sql.exec("SELECT text FROM notes").toArray()).toEqual([{ text: "kept" }]);
  });
});

it("changes nothing if one of them fails", async () => {
  await inDatabase((storage) => {
    storage.sql.exec(FIRST);
    const broken: Migration = () => {
      throw new Error("broken");
    };
    const schema = new Schema(TABLES, "notes", [addAuthor, broken]);
    expect(() => schema.open(storage)).toThrow("broken");
    expect(columnsOf(storage)).toEqual(["text"]);
    new Schema(TABLES, "notes", [addAuthor]).open(storage);
    expect(versionOf(storage)).toBe(2);
  });
});

it("refuses a database of a newer release, and changes nothing", async () => {
  await inDatabase((storage) => {
    new Schema(TABLES, "notes", [addAuthor, addLikes]).create(storage.sql);
    const older = new Schema(TABLES, "notes", [addAuthor]);
    expect(() => older.open(storage)).toThrow(
      "This database has schema version 3, and this release knows versions up to 2.",
    );
    expect(versionOf(storage)).toBe(3);
  });
});
