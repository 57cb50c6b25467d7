// Looks for words in all rows of all databases of a server, while it runs.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'";

/** The first file that has one of the words; undefined if none does. */
export async function leftIn(
  folder: string,
  words: readonly string[],
): Promise<string | undefined> {
  const wanted = new Set(words);
  for (const path of await readdir(folder, { recursive: true })) {
    if (!path.endsWith(".sqlite")) continue;
    const database = new DatabaseSync(join(folder, path), {
      readOnly: true,
      readBigInts: true,
    });
    try {
      if (hasOneOf(database, wanted)) return path;
    } finally {
      database.close();
    }
  }
  return undefined;
}

function hasOneOf(database: DatabaseSync, wanted: ReadonlySet<string>): boolean {
  for (const { name } of database.prepare(TABLES).all()) {
    for (const row of database.prepare(`SELECT * FROM "${name}"`).iterate()) {
      for (const value of Object.values(row)) {
        if (typeof value !== "string") continue;
        // Names of users end in a full stop, so that none begins another.
        for (const [word] of value.matchAll(/[a-z]+(?:-\d+\.)?/g)) {
          if (wanted.has(word)) return true;
        }
      }
    }
  }
  return false;
}
