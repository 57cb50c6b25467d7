// The pipeline: retrieve, prompt, generate. It knows
// no quota, no connection and no adapter by name.

import { ServiceError } from "../errors.ts";
import type { Ask, Finish, Source } from "../protocol.ts";
import { snippets } from "../text/snippet.ts";
import { isVisible } from "../text/visible.ts";
import type { Generator } from "./generator.ts";
import { nothingFound } from "./nothing-found.ts";
import { Opening } from "./opening.ts";
import { prompt } from "./prompt.ts";
import type { Passage, Retriever } from "./retriever.ts";
import type { RewriteCost, Rewriter } from "./rewriter.ts";
import { type SearchQuery, searchQuery } from "./search-query.ts";
import { isSmallTalk, smallTalk } from "./small-talk.ts";

/** What an answer is made with. */
export interface Adapters {
  readonly retriever: Retriever;
  readonly generator: Generator;
  /** Undefined where only the rule of search-query.ts searches. */
  readonly rewriter: Rewriter | undefined;
}

/** What takes an answer as it comes. */
export interface Progress {
  /** Once, before any text. */
  onSources(sources: readonly Source[]): void;
  /** The next piece of the text. It is not empty. */
  onToken(token: string): void;
  /** The model sent something without text to show. */
  onSignOfLife(): void;
  /** All tokens that the model counted for the answer. */
  onUsage(tokens: number): void;
  /** The model was asked to rewrite the question. */
  onRewrite(cost: RewriteCost): void;
  /** The answer says that nothing was found. */
  onNothingFound(): void;
}

/**
 * Begins an answer: searches at once, unless a model must say first what for.
 * The function that it returns goes on, and resolves with the finish reason.
 * It rejects with RETRIEVAL_FAILED, or GENERATION_FAILED, also for an answer
 * without any visible character.
 */
export function begin(
  ask: Ask,
  adapters: Adapters,
  signal: AbortSignal,
): (progress: Progress) => Promise<Finish> {
  const { query, history } = ask;
  if (isSmallTalk(query, history)) return (progress) => answerSmallTalk(query, progress);
  const search = searchQuery(query, history);
  const isRewritten = history.length > 0 && adapters.rewriter !== undefined;
  let found = isRewritten ? undefined : retrieve(search.text, ask.topK, adapters, signal);
  // The caller of the returned function gets the error.
  found?.catch(() => {});
  return async (progress) => {
    const known = isRewritten ? await rewritten(ask, search, adapters, signal, progress) : search;
    const passages = await (found ?? retrieve(known.text, ask.topK, adapters, signal));
    // A function that waits keeps its variables in memory, and so the passages.
    found = undefined;
    // A retriever may ignore the signal.
    signal.throwIfAborted();
    return generate(ask, known, passages, adapters.generator, progress, signal);
  };
}

async function answerSmallTalk(query: string, progress: Progress): Promise<Finish> {
  progress.onSources([]);
  progress.onNothingFound();
  progress.onToken(smallTalk(query));
  return "stop";
}

/** Not async, so that it keeps no passages while the model answers. */
function generate(
  ask: Ask,
  search: SearchQuery,
  passages: readonly Passage[],
  generator: Generator,
  progress: Progress,
  signal: AbortSignal,
): Promise<Finish> {
  const { query, history, maxTokens, temperature, instructions } = ask;
  const nonce = crypto.randomUUID().slice(0, 8);
  const snippet = snippets(search.text);
  progress.onSources(passages.map((passage, index) => source(passage, index + 1, snippet)));
  const text = new Text(progress, query);
  const generated = generator.generate(
    {
      ...{ query, search, history, passages, maxTokens, temperature },
      messages: prompt(query, history, passages, nonce, instructions),
      trace: ask.trace,
      onUsage: ({ total }) => progress.onUsage(total),
      onSignOfLife: () => progress.onSignOfLife(),
    },
    (piece) => text.add(piece),
    signal,
  );
  return generated.then((finish) => text.end(finish)).catch(asModelError);
}

/** The text on its way to the reader, without its mark. */
class Text {
  readonly #progress: Progress;
  readonly #opening = new Opening();
  readonly #query: string;
  #isEmpty = true;

  constructor(progress: Progress, query: string) {
    this.#progress = progress;
    this.#query = query;
  }

  add(piece: string): void {
    const wasMarked = this.#opening.isMarked;
    const token = this.#opening.push(piece);
    if (this.#opening.isMarked && !wasMarked) this.#progress.onNothingFound();
    if (token === "") this.#progress.onSignOfLife();
    else this.#show(token);
  }

  /** Throws GENERATION_FAILED if there was nothing to see. */
  end(finish: Finish): Finish {
    const rest = this.#opening.end();
    // A model may write the mark alone.
    if (this.#isEmpty && this.#opening.isMarked && !isVisible(rest))
      this.#show(nothingFound(this.#query));
    else if (rest !== "") this.#show(rest);
    if (this.#isEmpty) throw failed("The model gave no answer.");
    return finish;
  }

  #show(token: string): void {
    this.#isEmpty &&= !isVisible(token);
    this.#progress.onToken(token);
  }
}

/** With the model's words for the search, if it gives any. */
async function rewritten(
  { query, history, trace }: Ask,
  search: SearchQuery,
  { rewriter }: Adapters,
  signal: AbortSignal,
  progress: Progress,
): Promise<SearchQuery> {
  const startedAt = performance.now();
  const rewrite = await rewriter?.rewrite(query, history, signal, trace);
  if (rewrite === undefined) return search;
  const ms = Math.round(performance.now() - startedAt);
  progress.onRewrite({ ms, tokens: rewrite.tokens });
  return { ...search, text: rewrite.text ?? search.text };
}

async function retrieve(
  query: string,
  topK: number,
  { retriever }: Adapters,
  signal: AbortSignal,
): Promise<readonly Passage[]> {
  try {
    return await retriever.retrieve(query, topK, signal);
  } catch (cause) {
    const known = cause instanceof ServiceError;
    if (known && cause.code !== "RETRIEVAL_FAILED") throw cause;
    const what = known ? cause.message : "The documents could not be searched.";
    const message = `${what} You were not charged; ask again.`;
    throw new ServiceError("RETRIEVAL_FAILED", message, known ? cause.details : { cause });
  }
}

function asModelError(cause: unknown): never {
  throw cause instanceof ServiceError ? cause : failed("The model failed.", cause);
}

function failed(what: string, cause?: unknown): ServiceError {
  return new ServiceError("GENERATION_FAILED", `${what} You were not charged; ask again.`, {
    cause,
  });
}

function source(passage: Passage, n: number, snippet: (text: string) => string): Source {
  const { id, documentId, collection, title, heading, url, score, text } = passage;
  const where = { n, id, documentId, ...(collection !== undefined && { collection }) };
  return { ...where, title, heading, url, snippet: snippet(text), score };
}
