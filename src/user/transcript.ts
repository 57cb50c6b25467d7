// The events of a run in order, and who waits for more of them. Events are
// numbered from 1. The first and the last are written for each listener by
// its format; here are those in between: `sources` is 2, the first token 3.

import type { ServiceError } from "../errors.ts";
import type { AnswerHead, Format } from "../formats/format.ts";
import type { Finish, Source, SourcesEvent, TokenEvent } from "../protocol.ts";
import type { QueryRow } from "./queries.ts";

/** How a run ended with a whole answer. */
export interface WholeEnding {
  readonly type: "finished";
  readonly finish: Finish;
  /** False if the answer says only that nothing was found. */
  readonly found: boolean;
}

/** How a run ended. */
export type Ending = WholeEnding | { readonly type: "failed"; readonly error: ServiceError };

/** Events in a format, for one write. */
export interface Chunk {
  readonly bytes: Uint8Array;
  /** The index of the event after them. */
  readonly next: number;
}

/**
 * In UTF-16 units, at most three bytes each: a chunk stays below 64 KiB,
 * unless one event is longer.
 */
const CHUNK_LENGTH_MAX = 21 * 1024;

const encoder = new TextEncoder();

export class Transcript {
  readonly tokens: string[] = [];
  #sources: readonly Source[] | undefined;
  #ending: Ending | undefined;
  readonly #followers = new Set<() => void>();
  /** The last chunk, if others may want it: those of one format share it. */
  #chunk: { readonly format: Format; readonly from: number; readonly chunk: Chunk } | undefined;

  /**
   * The transcript of a stored answer: the same events with the same numbers.
   */
  static of(row: QueryRow): Transcript {
    const { answer, sources, token_lengths, finish, found } = row;
    const transcript = new Transcript();
    transcript.addSources(JSON.parse(sources ?? "[]"));
    let start = 0;
    for (const length of JSON.parse(token_lengths ?? "[]") as number[]) {
      transcript.addToken((answer ?? "").slice(start, start + length));
      start += length;
    }
    transcript.end({ type: "finished", finish: finish ?? "stop", found: found !== 0 });
    return transcript;
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  get sources(): readonly Source[] {
    return this.#sources ?? [];
  }

  /** How many events there are. */
  get length(): number {
    return this.#sources === undefined ? 0 : 1 + this.tokens.length;
  }

  /** Once, before any token. */
  addSources(sources: readonly Source[]): void {
    this.#sources = sources;
    this.#tell();
  }

  addToken(token: string): void {
    this.tokens.push(token);
    this.#tell();
  }

  /** The first ending counts. */
  end(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#tell();
  }

  /** Calls `wake` at each change, until the returned function is called. */
  follow(wake: () => void): () => void {
    this.#followers.add(wake);
    return () => {
      this.#followers.delete(wake);
      this.#chunk = undefined;
    };
  }

  /** The events from an index on that fit one write. */
  chunk(format: Format, from: number, head: AnswerHead): Chunk {
    const last = this.#chunk;
    if (last?.format === format && last.from === from) return last.chunk;
    const { text, next } = this.#textFrom(format, from, head);
    const chunk = { bytes: encoder.encode(text), next };
    if (this.#followers.size > 1) this.#chunk = { format, from, chunk };
    return chunk;
  }

  #textFrom(format: Format, from: number, head: AnswerHead): { text: string; next: number } {
    const { length } = this;
    let text = "";
    for (let next = from; next < length; next += 1) {
      // Event 1 is the opening.
      const event = format.event(this.#event(next), next + 2, head);
      if (text !== "" && text.length + event.length > CHUNK_LENGTH_MAX) return { text, next };
      text += event;
    }
    return { text, next: length };
  }

  #event(index: number): SourcesEvent | TokenEvent {
    return index === 0
      ? { type: "sources", sources: this.sources }
      : { type: "token", token: this.tokens[index - 1] as string };
  }

  #tell(): void {
    for (const wake of this.#followers) wake();
  }
}
