// The embedder for OpenAI-compatible
// endpoints: Ollama, llama.cpp, vLLM, OpenAI.

import type { Embedder, Vector } from "../answer/embedder.ts";
import { postJson, refused } from "../upstream.ts";
import { checkedVectors } from "./embeddings-response.ts";

/** 100 vectors of 1,536 numbers with all digits are 4 MB. */
const BODY_BYTES_MAX = 16 * 1024 * 1024;

const WHO = "The embedding model";

export class OpenAiEmbedder implements Embedder {
  readonly model: string;
  readonly #baseUrl: string;
  readonly #apiKey: string | undefined;

  /** @param options `baseUrl` as `endpointBase` returns it. */
  constructor(options: {
    readonly baseUrl: string;
    readonly model: string;
    readonly apiKey: string | undefined;
  }) {
    this.model = options.model;
    this.#baseUrl = options.baseUrl;
    this.#apiKey = options.apiKey;
  }

  async embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Vector[]> {
    const answer = await postJson(
      WHO,
      {
        ...{ baseUrl: this.#baseUrl, route: "embeddings", apiKey: this.#apiKey },
        body: { model: this.model, input: texts, encoding_format: "float" },
        bytesMax: BODY_BYTES_MAX,
      },
      signal,
    );
    if ("refusal" in answer) throw refused(WHO, answer.refusal);
    return checkedVectors(inOrder(answer.json), texts.length);
  }
}

/** Sorts the vectors like the texts: endpoints may not. */
function inOrder(answer: unknown): unknown {
  const data = (answer as { data?: unknown } | null)?.data;
  if (!Array.isArray(data)) return undefined;
  const vectors: unknown[] = [];
  for (const [i, one] of data.entries()) {
    const place: unknown = one?.index ?? i;
    // A wrong or repeated index leaves a hole in the list.
    if (Number.isInteger(place) && !((place as number) in vectors)) {
      vectors[place as number] = one?.embedding;
    }
  }
  return data.length === vectors.length ? Array.from(vectors) : undefined;
}
