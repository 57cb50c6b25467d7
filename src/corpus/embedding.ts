// The work in the background that gives each passage its vector in the index, and takes from the index
// what stands for nothing any more. What is left to do is kept in vectors.ts, so that it outlives the
// object; when it is done, the corpus object's alarm decides.

import { withTimeout } from "../deadline.ts";
import { reasonOf, ServiceError } from "../errors.ts";
import type { Documents } from "./documents.ts";
import type { Embedder, Vector, VectorIndex } from "./embedder.ts";
import type { NumberedPassage } from "./passage-index.ts";

/** What a vector is made of at once: no model of Workers AI takes fewer texts, and some take no more. */
const PASSAGES_AT_ONCE = 32;
const REMOVED_AT_ONCE = 100;
/**
 * So many steps until the alarm rings again: who pays nothing may make 50 requests. A step makes two;
 * one in which a passage is given up makes four, and any try has one such step at most.
 */
const STEPS = 20;
const REQUEST_TIMEOUT_MS = 30_000;
/** Who failed, as a message about it begins. */
const THE_INDEX = "The index of vectors";

/** What every model can embed: it tells a model that fails from a text that makes it fail. */
const PROBE = "Belay";
/** Of a passage that a model does not take, as much as any should. In UTF-16 units. */
const HEAD_LENGTH = 300;

/** Failures in a row before it is asked whether the model or the passage is at fault. */
const FAILURES_UNEXPLAINED = 2;
const RETRY_MS = 5_000;
const RETRY_MS_MAX = 600_000; /* 10 min */

/** After so long without a new vector, an index that holds none at all was made anew. */
const INDEX_SETTLES_MS = 600_000; /* 10 min */

export class Embedding {
  readonly #documents: Documents;
  readonly #embedder: Embedder;
  readonly #index: VectorIndex;
  /** How many of the next passages are embedded one by one, since together they failed. */
  #oneByOne = 0;

  constructor(documents: Documents, embedder: Embedder, index: VectorIndex) {
    this.#documents = documents;
    this.#embedder = embedder;
    this.#index = index;
  }

  isDue(): boolean {
    const { vectors } = this.#documents;
    const state = vectors.state();
    return (
      this.isNew() || vectors.anyStale() || this.#documents.hasPassageAfter(state?.madeTo ?? 0)
    );
  }

  /** Whether the last try failed, so that the next one is to be awaited. */
  isFailing(): boolean {
    return (this.#documents.vectors.state()?.failures ?? 0) > 0;
  }

  /** How many passages wait for their vector, and why the last try failed, if it did. */
  progress(): {
    readonly model: string;
    readonly waiting: number;
    readonly failure: string | null;
  } {
    const state = this.isNew() ? undefined : this.#documents.vectors.state();
    const waiting = this.#documents.countPassagesAfter(state?.madeTo ?? 0);
    return { model: this.#embedder.model, waiting, failure: state?.failure ?? null };
  }

  /** Does some of what is due, and returns after how many milliseconds to come back; never throws. */
  async work(): Promise<number | undefined> {
    try {
      // A failure of what nobody needs would be tried again by nothing.
      if (!this.isDue()) return undefined;
      await this.#begin();
      for (let step = 0; step < STEPS && this.isDue(); step++) await this.#step();
      return this.isDue() ? 0 : undefined;
    } catch (thrown) {
      return this.#failed(thrown);
    }
  }

  /** Whether another model, or none, made the vectors that there are. */
  isNew(): boolean {
    const state = this.#documents.vectors.state();
    if (state === undefined) return this.#documents.hasPassageAfter(0);
    return state.model !== this.#embedder.model;
  }

  async #begin(): Promise<void> {
    if (this.isNew()) this.#documents.beginVectors(this.#embedder.model);
    const state = this.#documents.vectors.state();
    // What was upserted is counted some seconds later, so only one that is long quiet can be judged.
    if (!state || state.madeTo === 0 || Date.now() - state.madeAt < INDEX_SETTLES_MS) return;
    const isEmpty = await inTime(THE_INDEX, (signal) => this.#index.isEmpty(signal));
    if (isEmpty) this.#documents.beginVectors(this.#embedder.model);
  }

  async #step(): Promise<void> {
    const { vectors } = this.#documents;
    if (vectors.anyStale()) {
      const { ids, dropped } = vectors.takeStale(REMOVED_AT_ONCE);
      await inTime(THE_INDEX, (signal) => this.#index.remove(ids, signal));
      dropped();
      return;
    }
    const limit = this.#oneByOne > 0 ? 1 : PASSAGES_AT_ONCE;
    const passages = this.#documents.passagesAfter(vectors.state()?.madeTo ?? 0, limit);
    const last = passages.at(-1);
    if (last === undefined) return;
    const made = await this.#embed(passages);
    if (made === undefined) {
      this.#oneByOne = PASSAGES_AT_ONCE;
      return;
    }
    const named = new Map(Array.from(made, ([{ id }, vector]) => [vectors.idOf(id), vector]));
    // Where a document was replaced meanwhile, these vectors are stale already, and go next.
    await inTime(THE_INDEX, (signal) => this.#index.put(named, signal));
    vectors.made(last.id, Date.now());
    if (limit === 1) this.#oneByOne -= 1;
  }

  /** The passages with their vectors; undefined where one of several may be at fault. */
  async #embed(
    passages: readonly NumberedPassage[],
  ): Promise<Map<NumberedPassage, Vector> | undefined> {
    try {
      const made = await this.#vectorsOf(passages.map(words));
      return new Map(passages.map((passage, i) => [passage, made[i] ?? []]));
    } catch (thrown) {
      const [passage, ...others] = passages;
      if (passage !== undefined && others.length === 0) return this.#embedHead(passage, thrown);
      await this.#probe();
      return undefined;
    }
  }

  /**
   * The passage that has failed alone, with the vector of its head or, where that fails too, without:
   * the others must not wait. Most faults pass, so before that it is tried again, and fails twice while
   * the model takes another text.
   */
  async #embedHead(
    passage: NumberedPassage,
    thrown: unknown,
  ): Promise<Map<NumberedPassage, Vector>> {
    const id = `${passage.documentId}#${passage.place}`;
    const before = this.#documents.vectors.state();
    if ((before?.failures ?? 0) < FAILURES_UNEXPLAINED) throw thrown;
    await this.#probe();
    // Of the failures until now, any may have been an outage's.
    const refusal = `The embedding model takes other texts, but not that of the passage "${id}".`;
    if (before?.failure !== refusal) {
      throw new ServiceError("RETRIEVAL_FAILED", refusal, { cause: thrown });
    }
    try {
      const head = words(passage).slice(0, HEAD_LENGTH).toWellFormed();
      const [vector = []] = await this.#vectorsOf([head]);
      return new Map([[passage, vector]]);
    } catch (thrown) {
      await this.#probe();
      console.error(`The passage "${id}" could not be embedded:`, reasonOf(thrown));
      return new Map();
    }
  }

  /** Throws if the model takes no text at all. */
  async #probe(): Promise<void> {
    await this.#vectorsOf([PROBE]);
  }

  #vectorsOf(texts: readonly string[]): Promise<readonly Vector[]> {
    return inTime("The embedding model", (signal) => this.#embedder.embed(texts, signal));
  }

  #failed(thrown: unknown): number {
    const { vectors } = this.#documents;
    const before = vectors.state();
    const failure = reasonOf(thrown);
    // Once for all tries: an outage may last for hours.
    if (before?.failure !== failure) {
      console.error("The passages could not be embedded, and are tried again:", failure);
    }
    const failures = before?.failures ?? 0;
    if (before !== undefined) vectors.failed(failure);
    return Math.min(RETRY_MS * 2 ** Math.min(failures, 10), RETRY_MS_MAX);
  }
}

/** What is embedded of a passage: it says more under its title and its headings. */
function words({ title, heading, text }: NumberedPassage): string {
  return [title, ...heading, text].join("\n");
}

function inTime<T>(who: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const message = `${who} gave no answer within ${REQUEST_TIMEOUT_MS} ms.`;
  return withTimeout(REQUEST_TIMEOUT_MS, () => new ServiceError("RETRIEVAL_FAILED", message), call);
}
