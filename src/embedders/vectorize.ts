// The vector index in Cloudflare's Vectorize. It receives ids and vectors only.

import type { Vector } from "../answer/embedder.ts";
import type { NearVector, VectorIndex } from "../answer/vector-index.ts";
import { call } from "../upstream.ts";

export class VectorizeIndex implements VectorIndex {
  readonly #binding: Vectorize;

  constructor(binding: Vectorize) {
    this.#binding = binding;
  }

  async nearest(
    vector: Vector,
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly NearVector[]> {
    const { matches } = await this.#call(
      () =>
        this.#binding.query([...vector], {
          // With values or metadata, topK may be 20
          // at most. `false` is refused for metadata.
          topK: limit,
          returnValues: false,
          returnMetadata: "none",
        }),
      signal,
    );
    return matches.map(({ id, score }) => ({ id, similarity: score }));
  }

  async put(vectors: ReadonlyMap<string, Vector>, signal: AbortSignal): Promise<void> {
    const all = Array.from(vectors, ([id, values]) => ({ id, values: [...values] }));
    if (all.length > 0) await this.#call(() => this.#binding.upsert(all), signal);
  }

  async remove(ids: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#call(() => this.#binding.deleteByIds([...ids]), signal);
  }

  async isEmpty(signal: AbortSignal): Promise<boolean> {
    return (await this.#call(() => this.#binding.describe(), signal)).vectorCount === 0;
  }

  #call<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return call("The vector index", request, errorCode, signal);
  }
}

/** The binding throws `VECTOR_QUERY_ERROR (code = 40006): invalid query …`. */
function errorCode(thrown: unknown): string {
  const words = thrown instanceof Error ? thrown.message : "";
  const code = /\(code = (\d{3,6})\)/.exec(words)?.[1];
  return code === undefined ? "" : ` (Vectorize error ${code})`;
}
