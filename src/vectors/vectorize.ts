// An index of vectors in Cloudflare's Vectorize. It is given ids and vectors, and never a text.

import type { Vector, VectorIndex } from "../corpus/embedder.ts";
import { ask } from "./upstream.ts";

/** Not documented: more ids at once are refused with error 40007. */
const REMOVED_MAX = 100;

export class VectorizeIndex implements VectorIndex {
  readonly #binding: Vectorize;

  constructor(binding: Vectorize) {
    this.#binding = binding;
  }

  async nearest(vector: Vector, limit: number, signal: AbortSignal): Promise<readonly string[]> {
    const { matches } = await this.#ask(
      () =>
        this.#binding.query([...vector], {
          // At most 100, as long as neither values nor metadata are wanted, which is said by a word:
          // `false` is refused.
          topK: Math.min(limit, 100),
          returnValues: false,
          returnMetadata: "none",
        }),
      signal,
    );
    return matches.map(({ id }) => id);
  }

  async put(vectors: ReadonlyMap<string, Vector>, signal: AbortSignal): Promise<void> {
    const all = Array.from(vectors, ([id, values]) => ({ id, values: [...values] }));
    if (all.length > 0) await this.#ask(() => this.#binding.upsert(all), signal);
  }

  async remove(ids: readonly string[], signal: AbortSignal): Promise<void> {
    for (let from = 0; from < ids.length; from += REMOVED_MAX) {
      const some = ids.slice(from, from + REMOVED_MAX);
      await this.#ask(() => this.#binding.deleteByIds(some), signal);
    }
  }

  async isEmpty(signal: AbortSignal): Promise<boolean> {
    return (await this.#ask(() => this.#binding.describe(), signal)).vectorCount === 0;
  }

  #ask<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return ask("The index of vectors", call, errorCode, signal);
  }
}

/** As the binding throws it: `VECTOR_QUERY_ERROR (code = 40006): invalid query vector, …`. */
function errorCode(thrown: unknown): string {
  const words = thrown instanceof Error ? thrown.message : "";
  const code = /\(code = (\d{3,6})\)/.exec(words)?.[1];
  return code === undefined ? "" : ` (Vectorize error ${code})`;
}
