// A fake VECTORIZE binding: an index in memory with the limits, errors and delay
// of the real one.

/** https://developers.cloudflare.com/vectorize/platform/limits/ and its errors. */
const ID_BYTES_MAX = 64;
const UPSERT_MAX = 1_000;
const DELETE_MAX = 100;
const TOP_K_MAX = 100;
const TOP_K_MAX_WITH_VALUES = 20;
const DIMENSIONS_MAX = 1_536;

type Vectors = ReadonlyMap<string, readonly number[]>;
const NAMESPACE_BYTES_MAX = 64;
type Mutation = (vectors: Map<string, readonly number[]>) => void;

export class FakeVectorize {
  readonly #dimensions: number;
  readonly #lagMs: number;
  readonly #vectors = new Map<string, readonly number[]>();
  /** By id. */
  readonly #namespaces = new Map<string, string | undefined>();
  #mutations: { readonly at: number; readonly apply: Mutation }[] = [];
  /** Called and awaited before each call, which throws what it throws. */
  fault: ((call: "query" | "upsert" | "deleteByIds" | "describe") => unknown) | undefined;
  /** Everything that it received, as JSON. */
  readonly sent: string[] = [];

  constructor({ dimensions = 256, lagMs = 0 } = {}) {
    if (dimensions > DIMENSIONS_MAX) throw new Error("Vectorize has no such index.");
    this.#dimensions = dimensions;
    this.#lagMs = lagMs;
  }

  /** What a search can find now. */
  get vectors(): Vectors {
    const due = this.#mutations.filter(({ at }) => at <= Date.now());
    this.#mutations = this.#mutations.filter(({ at }) => at > Date.now());
    for (const { apply } of due) apply(this.#vectors);
    return this.#vectors;
  }

  /** As if the index had been recreated. */
  clear(): void {
    this.#mutations = [];
    this.#vectors.clear();
  }

  async query(vector: number[], options: VectorizeQueryOptions = {}): Promise<VectorizeMatches> {
    await this.fault?.("query");
    const { topK = 5, namespace, returnValues = false, returnMetadata = "none" } = options;
    if (typeof returnMetadata === "boolean") {
      throw error("QUERY", 40026, "Failed to parse the request body as JSON: returnMetadata");
    }
    const all = returnValues || returnMetadata === "all";
    const max = all ? TOP_K_MAX_WITH_VALUES : TOP_K_MAX;
    if (topK > max) throw error("QUERY", 40025, `max top K is ${max}, but got ${topK}`);
    this.#check("QUERY", 40006, vector);
    // Without a namespace, a query sees all.
    const seen = [...this.vectors].filter(
      ([id]) => namespace === undefined || this.#namespaces.get(id) === namespace,
    );
    const matches = Array.from(seen, ([id, values]) => ({
      id,
      score: cosine(vector, values),
      ...(returnValues && { values: [...values] }),
    }));
    matches.sort((a, b) => b.score - a.score);
    return { count: Math.min(topK, matches.length), matches: matches.slice(0, topK) };
  }

  async upsert(vectors: VectorizeVector[]): Promise<VectorizeAsyncMutation> {
    await this.fault?.("upsert");
    this.sent.push(JSON.stringify(vectors));
    if (vectors.length === 0 || vectors.length > UPSERT_MAX) {
      throw error("UPSERT", 40007, `max vector count is ${UPSERT_MAX}, got ${vectors.length}`);
    }
    for (const { id, namespace, values } of vectors) {
      if (new TextEncoder().encode(namespace).length > NAMESPACE_BYTES_MAX) {
        throw error("UPSERT", 40011, `namespace too long; max is ${NAMESPACE_BYTES_MAX} bytes`);
      }
      this.#namespaces.set(id, namespace);
      if (new TextEncoder().encode(id).length > ID_BYTES_MAX) {
        throw error("UPSERT", 40008, `id too long; max is ${ID_BYTES_MAX} bytes`);
      }
      this.#check("UPSERT", 40012, Array.from(values));
    }
    const copy = vectors.map(({ id, values }) => [id, Array.from(values)] as const);
    return this.#mutate((index) => {
      for (const [id, values] of copy) index.set(id, values);
    });
  }

  async deleteByIds(ids: string[]): Promise<VectorizeAsyncMutation> {
    await this.fault?.("deleteByIds");
    if (ids.length === 0 || ids.length > DELETE_MAX) {
      const words = `too many ids in payload; max id count is ${DELETE_MAX}, got ${ids.length}`;
      throw error("DELETE", 40007, words);
    }
    return this.#mutate((index) => {
      for (const id of ids) index.delete(id);
    });
  }

  async describe(): Promise<VectorizeIndexInfo> {
    await this.fault?.("describe");
    return {
      vectorCount: this.vectors.size,
      dimensions: this.#dimensions,
      processedUpToDatetime: 0,
      processedUpToMutation: 0,
    };
  }

  #mutate(apply: Mutation): VectorizeAsyncMutation {
    this.#mutations.push({ at: Date.now() + this.#lagMs, apply });
    return { mutationId: crypto.randomUUID() };
  }

  #check(what: string, code: number, vector: readonly number[]): void {
    if (vector.length !== this.#dimensions) {
      const words = `expected ${this.#dimensions} dimensions, and got ${vector.length} dimensions`;
      throw error(what, code, `invalid vector, ${words}`);
    }
    // JSON would turn them into null.
    if (!vector.every(Number.isFinite))
      throw error(what, 40026, "Failed to parse the request body");
  }
}

function error(what: string, code: number, words: string): Error {
  return new Error(`VECTOR_${what}_ERROR (code = ${code}): ${words}`);
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, number, i) => sum + number * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
