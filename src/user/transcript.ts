// The events of a run in order, and who waits for more of them. Events are
// numbered from 1. The first and the last are written for each listener by
// its format; here are those in between: `sources` is 2, the first token 3.

import type { ServiceError } from "../errors.ts";
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

export class Transcript {
  readonly events: (SourcesEvent | TokenEvent)[] = [];
  #ending: Ending | undefined;
  readonly #followers = new Set<() => void>();

  /**
   * The transcript of a stored answer: the same events with the same numbers.
   */
  static of(row: QueryRow): Transcript {
    const { answer, sources, token_lengths, finish, found } = row;
    const transcript = new Transcript();
    transcript.append({ type: "sources", sources: JSON.parse(sources ?? "[]") });
    let start = 0;
    for (const length of JSON.parse(token_lengths ?? "[]") as number[]) {
      transcript.append({ type: "token", token: (answer ?? "").slice(start, start + length) });
      start += length;
    }
    transcript.end({ type: "finished", finish: finish ?? "stop", found: found !== 0 });
    return transcript;
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  append(event: SourcesEvent | TokenEvent): void {
    this.events.push(event);
    for (const wake of this.#followers) wake();
  }

  /** The first ending counts. */
  end(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    for (const wake of this.#followers) wake();
  }

  /** Calls `wake` at each change, until the returned function is called. */
  follow(wake: () => void): () => void {
    this.#followers.add(wake);
    return () => this.#followers.delete(wake);
  }

  get tokens(): string[] {
    return this.events.flatMap((event) => (event.type === "token" ? [event.token] : []));
  }

  get sources(): readonly Source[] {
    return this.events.flatMap((event) => (event.type === "sources" ? event.sources : []));
  }
}
