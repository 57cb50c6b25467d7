// A corpus object with copies, for one test.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { corpora } from "../worker.ts";
import { newCorpus } from "./new-corpus.ts";

export class Copied {
  readonly corpus = newCorpus();

  constructor(variables: Record<string, unknown> = {}) {
    this.set({ CORPUS_COPIES: "2", ...variables });
  }

  /** The variables of the next instances of all objects. */
  set(variables: Record<string, unknown>): void {
    corpora.set(this.corpus.name, variables);
  }

  get original() {
    return this.corpus.newStub();
  }

  get originalId(): string {
    return this.original.id.toString();
  }

  copy(number = 1) {
    return env.COPIES.getByName(`copy ${number} of ${this.originalId}`);
  }

  async put(id: string, text: string, more: Record<string, unknown> = {}): Promise<void> {
    const { status } = await this.corpus.put(id, { title: `Title of ${id}`, text, ...more });
    if (status >= 300) throw new Error(`The document was refused with ${status}.`);
  }

  async delete(id: string): Promise<void> {
    await this.corpus.send("DELETE", `/${encodeURIComponent(id)}`);
  }

  /** Undefined if the copy leaves the answer to its original. */
  async search(query: string, number = 1, topK = 10) {
    return plain(await this.copy(number).search(this.originalId, query, topK));
  }

  async searchOriginal(query: string, topK = 10) {
    return plain(await this.original.search(query, topK));
  }

  /** Rows of the original's storage. */
  rows<T extends Record<string, SqlStorageValue>>(query: string): Promise<T[]> {
    return runInDurableObject(this.original, (_, { storage }) =>
      storage.sql.exec<T>(query).toArray(),
    );
  }

  /** The ids of a copy's passages, read without a search. */
  passageIds(number = 1): Promise<number[]> {
    return rowsOfCopy<{ id: number }>(
      this.copy(number),
      "SELECT id FROM passages ORDER BY id",
    ).then((rows) => rows.map(({ id }) => id));
  }
}

export type CopyStub = ReturnType<Copied["copy"]>;

/** None if there are no tables. */
export function rowsOfCopy<T extends Record<string, SqlStorageValue>>(
  stub: CopyStub,
  query: string,
): Promise<T[]> {
  return runInDurableObject(stub, (_, { storage }) => {
    const tables = storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'copy'").toArray();
    return tables.length === 0 ? [] : storage.sql.exec<T>(query).toArray();
  });
}

/** What came over RPC, without its disposers. */
function plain<T>(value: T): T {
  return value === undefined ? value : structuredClone(value);
}
