// A namespace of the vector index in Cloudflare's Vectorize. It receives ids
// and vectors only. A query sees the vectors of its namespace alone, so the
// collections share an index and change nothing in each other's results.

import type { Vector } from "../answer/embedder.ts";
import type { NearVector, VectorIndex } from "../answer/vector-index.ts";
import { call } from "../upstream.ts";

export class VectorizeIndex implements VectorIndex {
  readonly #binding: Vectorize;
  readonly #namespace: string;

  /** @param namespace At most 64 bytes. */
  constructor(binding: Vectorize, namespace: string) {
    this.#binding = binding;
    this.#namespace = namespace;
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
          namespace: this.#namespace,
          returnValues: false,
          returnMetadata: "none",
        }),
      signal,
    );
    return matches.map(({ id, score }) => ({ id, similarity: score }));
  }

  async put(vectors: ReadonlyMap<string, Vector>, signal: AbortSignal): Promise<void> {
    const namespace = this.#namespace;
    const all = Array.from(vectors, ([id, values]) => ({ id, namespace, values: [...values] }));
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
