// The interface of an embedding model. Adapters are in embedders/.

/** Texts of similar meaning have vectors close together. */
export type Vector = readonly number[];

export interface Embedder {
  /** The model's name. Vectors of different models cannot be compared. */
  readonly model: string;
  /**
   * One vector per text, in order, all of one length, none all
   * zeros. Throws ServiceError RETRIEVAL_FAILED, without any part
   * of a text in its message, and soon after `signal` aborts.
   */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Vector[]>;
}
