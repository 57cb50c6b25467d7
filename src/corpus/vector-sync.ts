// Keeps the vector index in step with the passages: adds the
// vectors of new passages and removes those of deleted ones.
// It works in the alarm of the corpus object. vector-state.ts
// stores what is left to do, so a crash loses nothing.

import type { Embedder, Vector } from "../answer/embedder.ts";
import type { VectorIndex } from "../answer/vector-index.ts";
import { withTimeout } from "../deadline.ts";
import { reasonOf, ServiceError } from "../errors.ts";
import type { Documents } from "./documents.ts";
import type { NumberedPassage } from "./passage-index.ts";

/** Texts per request. Some models of Workers AI accept no more. */
const PASSAGES_AT_ONCE = 32;
const REMOVED_AT_ONCE = 100;
/**
 * Steps per alarm. The free plan allows 50 subrequests per invocation; a step
 * makes two, except at most one step that skips a passage and makes four.
 */
const STEPS = 20;
const REQUEST_TIMEOUT_MS = 30_000;

/** Accepted by every model that works. */
const PROBE = "Belay";
/**
 * How much of a passage is embedded if the
 * model refuses all of it, in UTF-16 units.
 */
const HEAD_LENGTH = 300;

/** Failures in a row before the probe is sent. */
const FAILURES_UNEXPLAINED = 2;
const RETRY_MS = 5_000;
const RETRY_MS_MAX = 600_000; /* 10 min */

/**
 * The index counts new vectors late. After
 * this time, an empty index was recreated.
 */
const INDEX_SETTLES_MS = 600_000; /* 10 min */

export class VectorSync {
  readonly #documents: Documents;
  readonly #embedder: Embedder;
  readonly #index: VectorIndex;
  /**
   * How many of the next passages are embedded
   * singly, because together they failed.
   */
  #oneByOne = 0;

  constructor(documents: Documents, embedder: Embedder, index: VectorIndex) {
    this.#documents = documents;
    this.#embedder = embedder;
    this.#index = index;
  }

  isDue(): boolean {
    const { vectorState } = this.#documents;
    const state = vectorState.state();
    return (
      this.isUnstarted() ||
      vectorState.anyStale() ||
      this.#documents.hasPassageAfter(state?.madeTo ?? 0)
    );
  }

  /** Whether the last try failed. A retry is scheduled then. */
  isFailing(): boolean {
    return (this.#documents.vectorState.state()?.failures ?? 0) > 0;
  }

  /**
   * `waiting`: passages without a vector. `failure`: why the last try failed.
   */
  progress(): {
    readonly model: string;
    readonly waiting: number;
    readonly failure: string | null;
  } {
    const state = this.isUnstarted() ? undefined : this.#documents.vectorState.state();
    const waiting = this.#documents.countPassagesAfter(state?.madeTo ?? 0);
    return { model: this.#embedder.model, waiting, failure: state?.failure ?? null };
  }

  /**
   * Does part of the work. Returns in how many ms to continue. Never throws.
   */
  async work(): Promise<number | undefined> {
    try {
      if (!this.isDue()) return undefined;
      await this.#begin();
      for (let step = 0; step < STEPS && this.isDue(); step++) await this.#step();
      return this.isDue() ? 0 : undefined;
    } catch (thrown) {
      return this.#failed(thrown);
    }
  }

  /** Whether this model has made no vectors yet. */
  isUnstarted(): boolean {
    const state = this.#documents.vectorState.state();
    if (state === undefined) return this.#documents.hasPassageAfter(0);
    return state.model !== this.#embedder.model;
  }

  async #begin(): Promise<void> {
    if (this.isUnstarted()) this.#documents.beginVectors(this.#embedder.model);
    const state = this.#documents.vectorState.state();
    if (!state || state.madeTo === 0 || Date.now() - state.madeAt < INDEX_SETTLES_MS) return;
    const isEmpty = await inTime("The vector index", (signal) => this.#index.isEmpty(signal));
    if (isEmpty) this.#documents.beginVectors(this.#embedder.model);
  }

  async #step(): Promise<void> {
    const { vectorState } = this.#documents;
    if (vectorState.anyStale()) {
      const { ids, dropped } = vectorState.takeStale(REMOVED_AT_ONCE);
      await inTime("The vector index", (signal) => this.#index.remove(ids, signal));
      dropped();
      return;
    }
    const limit = this.#oneByOne > 0 ? 1 : PASSAGES_AT_ONCE;
    const passages = this.#documents.passagesAfter(vectorState.state()?.madeTo ?? 0, limit);
    const last = passages.at(-1);
    if (last === undefined) return;
    const made = await this.#embed(passages);
    if (made === undefined) {
      this.#oneByOne = PASSAGES_AT_ONCE;
      return;
    }
    const named = new Map(Array.from(made, ([{ id }, vector]) => [vectorState.idOf(id), vector]));
    // If a document was replaced meanwhile,
    // its vectors are stale: removed next.
    await inTime("The vector index", (signal) => this.#index.put(named, signal));
    vectorState.made(last.id, Date.now());
    if (limit === 1) this.#oneByOne -= 1;
  }

  /**
   * The vectors by passage; undefined if one
   * of several passages may be at fault.
   */
  async #embed(
    passages: readonly NumberedPassage[],
  ): Promise<Map<NumberedPassage, Vector> | undefined> {
    try {
      const made = await this.#vectorsOf(passages.map(textOf));
      return new Map(passages.map((passage, i) => [passage, made[i] ?? []]));
    } catch (thrown) {
      const [passage, ...others] = passages;
      if (passage !== undefined && others.length === 0) return this.#embedHead(passage, thrown);
      await this.#probe();
      return undefined;
    }
  }

  /**
   * For a passage that failed alone: the vector of its beginning, or none,
   * so that the others need not wait. Most failures are temporary, so first
   * the passage must fail again, twice while the model accepts the probe.
   */
  async #embedHead(
    passage: NumberedPassage,
    thrown: unknown,
  ): Promise<Map<NumberedPassage, Vector>> {
    const id = `${passage.documentId}#${passage.place}`;
    const before = this.#documents.vectorState.state();
    if ((before?.failures ?? 0) < FAILURES_UNEXPLAINED) throw thrown;
    await this.#probe();
    // Earlier failures may have come from an outage.
    const refusal = `The embedding model takes other texts, but not that of the passage "${id}".`;
    if (before?.failure !== refusal) {
      throw new ServiceError("RETRIEVAL_FAILED", refusal, { cause: thrown });
    }
    try {
      const head = textOf(passage).slice(0, HEAD_LENGTH).toWellFormed();
      const [vector = []] = await this.#vectorsOf([head]);
      return new Map([[passage, vector]]);
    } catch (thrown) {
      await this.#probe();
      console.error(`The passage "${id}" could not be embedded:`, reasonOf(thrown));
      return new Map();
    }
  }

  /** Throws if the model accepts no text at all. */
  async #probe(): Promise<void> {
    await this.#vectorsOf([PROBE]);
  }

  #vectorsOf(texts: readonly string[]): Promise<readonly Vector[]> {
    return inTime("The embedding model", (signal) => this.#embedder.embed(texts, signal));
  }

  #failed(thrown: unknown): number {
    const { vectorState } = this.#documents;
    const before = vectorState.state();
    const failure = reasonOf(thrown);
    // Logged once, since an outage may last for hours.
    if (before?.failure !== failure) {
      console.error("The passages could not be embedded, and are tried again:", failure);
    }
    const failures = before?.failures ?? 0;
    if (before !== undefined) vectorState.failed(failure);
    return Math.min(RETRY_MS * 2 ** Math.min(failures, 10), RETRY_MS_MAX);
  }
}

/** The text to embed. Title and headings give the context. */
function textOf({ title, heading, text }: NumberedPassage): string {
  return [title, ...heading, text].join("\n");
}

function inTime<T>(who: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const message = `${who} gave no answer within ${REQUEST_TIMEOUT_MS} ms.`;
  return withTimeout(REQUEST_TIMEOUT_MS, () => new ServiceError("RETRIEVAL_FAILED", message), call);
}
