// The documents as a user's searches see them where there are copies:
// one of the copies, always the same one for a user. The original
// answers where that copy is new, behind, fails, or takes too long.

import type { Passage } from "../answer/retriever.ts";
import type { NearVector } from "../answer/vector-index.ts";
import { withTimeout } from "../deadline.ts";
import { reasonOf } from "../errors.ts";
import type { Corpus } from "./corpus.ts";
import type { QueryTerms } from "./query-terms.ts";

type Placed = Omit<Passage, "score">;

/** One copy, as a reader sees it. Undefined: ask the original. */
export interface ReadableCopy {
  search(query: string, topK: number): Promise<Passage[] | undefined>;
  searchForPrompt(query: string, topK: number): Promise<Passage[] | undefined>;
  passagesOf(
    vectors: readonly NearVector[],
    query: string,
    topK: number,
  ): Promise<Passage[] | undefined>;
  termsOf(query: string): Promise<QueryTerms | undefined>;
  passagesAt(ids: readonly string[]): Promise<Placed[] | undefined>;
}

const COPY_TIMEOUT_MS = 1_000;
/** A copy that failed is left alone, so that few searches wait for it. */
const REST_MS = 5_000;

/** Until when copies are left alone, by name. */
const resting = new Map<string, number>();

export class CopiedCorpus implements Corpus {
  readonly #original: Corpus;
  readonly #copy: ReadableCopy;
  readonly #name: string;

  /** @param name Of the copy. */
  constructor(original: Corpus, copy: ReadableCopy, name: string) {
    this.#original = original;
    this.#copy = copy;
    this.#name = name;
  }

  async search(query: string, topK: number): Promise<Passage[]> {
    const found = await this.#fromCopy((copy) => copy.search(query, topK));
    return found ?? this.#original.search(query, topK);
  }

  async searchForPrompt(query: string, topK: number): Promise<Passage[]> {
    const found = await this.#fromCopy((copy) => copy.searchForPrompt(query, topK));
    return found ?? this.#original.searchForPrompt(query, topK);
  }

  async passagesOf(
    vectors: readonly NearVector[],
    query: string,
    topK: number,
  ): Promise<Passage[]> {
    const found = await this.#fromCopy((copy) => copy.passagesOf(vectors, query, topK));
    return found ?? this.#original.passagesOf(vectors, query, topK);
  }

  async termsOf(query: string): Promise<QueryTerms> {
    const known = await this.#fromCopy((copy) => copy.termsOf(query));
    return known ?? this.#original.termsOf(query);
  }

  async passagesAt(ids: readonly string[]): Promise<Placed[]> {
    const found = await this.#fromCopy((copy) => copy.passagesAt(ids));
    return found ?? this.#original.passagesAt(ids);
  }

  async #fromCopy<T>(read: (copy: ReadableCopy) => Promise<T>): Promise<T | undefined> {
    if ((resting.get(this.#name) ?? 0) > Date.now()) return undefined;
    resting.delete(this.#name);
    try {
      const late = () => new Error(`It gave no answer within ${COPY_TIMEOUT_MS} ms.`);
      return await withTimeout(COPY_TIMEOUT_MS, late, () => read(this.#copy));
    } catch (thrown) {
      resting.set(this.#name, Date.now() + REST_MS);
      console.error("A copy of the documents failed; the original answers:", reasonOf(thrown));
      return undefined;
    }
  }
}

/** Which of the copies, from 1, a user reads. Stable. */
export function copyOf(user: string, copies: number): number {
  // FNV-1a.
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(user)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return 1 + (hash % copies);
}
