// The pipeline: retrieve, prompt, generate. It knows
// no quota, no connection and no adapter by name.

import { ServiceError } from "../errors.ts";
import type { Ask, Finish, Source, SourcesEvent, TokenEvent } from "../protocol.ts";
import { snippet } from "../text/snippet.ts";
import { isVisible } from "../text/visible.ts";
import type { Generator } from "./generator.ts";
import { nothingFound } from "./nothing-found.ts";
import { Opening } from "./opening.ts";
import { prompt } from "./prompt.ts";
import type { Passage, Retriever } from "./retriever.ts";
import type { RewriteCost, Rewriter } from "./rewriter.ts";
import { type SearchQuery, searchQuery } from "./search-query.ts";
import { isSmallTalk, smallTalk } from "./small-talk.ts";

/** What an answer's progress is told to. */
export interface Progress {
  /** The model sent something, with text or without. */
  onSignOfLife(): void;
  /** The model was asked to rewrite the question. */
  onRewrite?(cost: RewriteCost): void;
  /** The answer says that nothing was found. */
  onNothingFound(): void;
}

/**
 * Yields `sources` once, then tokens; returns the finish
 * reason. Throws RETRIEVAL_FAILED, or GENERATION_FAILED,
 * also for an answer without any visible character.
 */
export async function* answer(
  ask: Ask,
  retriever: Retriever,
  generator: Generator,
  signal: AbortSignal,
  progress?: Progress,
  rewriter?: Rewriter,
): AsyncGenerator<SourcesEvent | TokenEvent, Finish, void> {
  if (isSmallTalk(ask.query, ask.history)) {
    yield { type: "sources", sources: [] };
    progress?.onNothingFound();
    yield { type: "token", token: smallTalk(ask.query) };
    return "stop";
  }
  const search = await searchOf(ask, rewriter, signal, progress);
  const passages = await retrieve(search.text, ask.topK, retriever, signal);
  yield {
    type: "sources",
    sources: passages.map((passage, index) => source(passage, index + 1, search.text)),
  };

  const pieces = generator.generate(
    {
      query: ask.query,
      search,
      history: ask.history,
      passages,
      messages: prompt(ask.query, ask.history, passages, crypto.randomUUID().slice(0, 8)),
      maxTokens: ask.maxTokens,
      temperature: ask.temperature,
      onSignOfLife: progress && (() => progress.onSignOfLife()),
    },
    signal,
  );
  const opening = new Opening();
  let empty = true;
  try {
    for (;;) {
      const step = await pieces.next();
      const wasMarked = opening.isMarked;
      let token = step.done ? opening.end() : opening.push(step.value);
      if (opening.isMarked && !wasMarked) progress?.onNothingFound();
      empty &&= !isVisible(token);
      // A model may write the mark alone.
      if (step.done && empty && opening.isMarked) {
        token = nothingFound(ask.query);
        empty = false;
      }
      if (token !== "") yield { type: "token", token };
      if (!step.done) continue;
      if (empty) throw failed("The model gave no answer.");
      return step.value;
    }
  } catch (cause) {
    if (cause instanceof ServiceError) throw cause;
    throw failed("The model failed.", cause);
  }
}

/** By the rule, unless a model says it better. */
async function searchOf(
  { query, history }: Ask,
  rewriter: Rewriter | undefined,
  signal: AbortSignal,
  progress: Progress | undefined,
): Promise<SearchQuery> {
  const search = searchQuery(query, history);
  if (history.length === 0) return search;
  const startedAt = performance.now();
  const rewrite = await rewriter?.rewrite(query, history, signal);
  if (rewrite === undefined) return search;
  const ms = Math.round(performance.now() - startedAt);
  progress?.onRewrite?.({ ms, tokens: rewrite.tokens });
  return { ...search, text: rewrite.text ?? search.text };
}

async function retrieve(
  query: string,
  topK: number,
  retriever: Retriever,
  signal: AbortSignal,
): Promise<readonly Passage[]> {
  try {
    return await retriever.retrieve(query, topK, signal);
  } catch (cause) {
    const known = cause instanceof ServiceError;
    if (known && cause.code !== "RETRIEVAL_FAILED") throw cause;
    const what = known ? cause.message : "The documents could not be searched.";
    throw new ServiceError("RETRIEVAL_FAILED", `${what} You were not charged; ask again.`, {
      cause: known ? cause.details.cause : cause,
    });
  }
}

function failed(what: string, cause?: unknown): ServiceError {
  return new ServiceError("GENERATION_FAILED", `${what} You were not charged; ask again.`, {
    cause,
  });
}

function source(passage: Passage, n: number, query: string): Source {
  const { id, documentId, title, heading, url, score, text } = passage;
  return { n, id, documentId, title, heading, url, snippet: snippet(text, query), score };
}
