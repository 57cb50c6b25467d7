// What the corpus and the retrievers ask of an embedder and of an index of vectors, whichever they are.
// The adapters are in vectors/. Both refuse with a ServiceError RETRIEVAL_FAILED, whose message says
// which of the two failed and holds no word of any text; and both give up soon when the signal aborts.

/** What a text means, as a point in space: texts that mean the same lie close together. */
export type Vector = readonly number[];

export interface Embedder {
  /** What makes the vectors: those of another model cannot be compared with them. */
  readonly model: string;
  /** A vector for each text, in their order: all of one length, none of them without a direction. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Vector[]>;
}

/** Vectors under ids of at most 64 bytes. What was written takes some seconds until it is found. */
export interface VectorIndex {
  /** The ids of the at most `limit`, itself at most 100, vectors nearest to one, nearest first. */
  nearest(vector: Vector, limit: number, signal: AbortSignal): Promise<readonly string[]>;
  /** Puts vectors in the place of those with the same ids, if any. */
  put(vectors: ReadonlyMap<string, Vector>, signal: AbortSignal): Promise<void>;
  /** 1 to 100 ids. Those that are not there are passed over. */
  remove(ids: readonly string[], signal: AbortSignal): Promise<void>;
  isEmpty(signal: AbortSignal): Promise<boolean>;
}
