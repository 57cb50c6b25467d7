// The results of recent searches, for questions that are asked again. They
// are kept in memory only, and dropped with every change of a passage.

const RESULTS_MAX = 500;
/** Of queries and passages, in UTF-16 units: 8 MB. */
const LENGTH_MAX = 4_000_000;

interface Result<T> {
  readonly passages: readonly T[];
  readonly length: number;
}

export class RecentSearches<T extends { readonly text: string }> {
  /** By query and number of passages, the least recent first. */
  readonly #results = new Map<string, Result<T>>();
  #length = 0;

  get(query: string, topK: number): T[] | undefined {
    const key = keyOf(query, topK);
    const result = this.#results.get(key);
    if (result === undefined) return undefined;
    this.#results.delete(key);
    this.#results.set(key, result);
    return [...result.passages];
  }

  add(query: string, topK: number, passages: readonly T[]): void {
    const key = keyOf(query, topK);
    this.#drop(key);
    const length = passages.reduce((sum, { text }) => sum + text.length, key.length);
    if (length > LENGTH_MAX) return;
    this.#results.set(key, { passages, length });
    this.#length += length;
    for (const oldest of this.#results.keys()) {
      if (this.#results.size <= RESULTS_MAX && this.#length <= LENGTH_MAX) break;
      this.#drop(oldest);
    }
  }

  /** Call it with each change of a passage. */
  forget(): void {
    this.#results.clear();
    this.#length = 0;
  }

  #drop(key: string): void {
    this.#length -= this.#results.get(key)?.length ?? 0;
    this.#results.delete(key);
  }
}

function keyOf(query: string, topK: number): string {
  return `${topK} ${query}`;
}
