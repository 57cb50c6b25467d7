// The reranker for endpoints with the route /rerank: Jina,
// Cohere, vLLM, llama.cpp, LiteLLM. Text Embeddings Inference
// has the same route in a form of its own.

import type { Reranker } from "../answer/reranker.ts";
import { postJson, refused } from "../upstream.ts";
import { checkedScores } from "./scores.ts";

/** Some send the texts back: 20 of 1,600 characters. */
const BODY_BYTES_MAX = 1024 * 1024;

const WHO = "The reranking model";

/** What Text Embeddings Inference says to a body without `texts`. */
const UNPROCESSABLE = 422;

/** The endpoints that want `texts`, until the isolate ends. */
const wantTexts = new Set<string>();

interface Options {
  /** As `endpointBase` returns it. */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey: string | undefined;
}

export class OpenAiReranker implements Reranker {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  async rerank(
    query: string,
    texts: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    const { baseUrl, model } = this.#options;
    const documents = { model, query, documents: texts, top_n: texts.length };
    const asked = wantTexts.has(baseUrl) ? { query, texts } : documents;
    let answer = await this.#post(asked, signal);
    if (asked === documents && "refusal" in answer && answer.refusal === UNPROCESSABLE) {
      answer = await this.#post({ query, texts }, signal);
      if ("json" in answer) wantTexts.add(baseUrl);
    }
    if ("refusal" in answer) throw refused(WHO, answer.refusal);
    return checkedScores(resultsOf(answer.json), texts.length, (result) => ({
      index: result.index,
      score: result.relevance_score ?? result.score,
    }));
  }

  #post(body: unknown, signal: AbortSignal) {
    const { baseUrl, apiKey } = this.#options;
    const request = { baseUrl, route: "rerank", apiKey, body, bytesMax: BODY_BYTES_MAX } as const;
    return postJson(WHO, request, signal);
  }
}

/** Text Embeddings Inference sends the list alone. */
function resultsOf(answer: unknown): unknown {
  return Array.isArray(answer) ? answer : (answer as { results?: unknown } | null)?.results;
}
