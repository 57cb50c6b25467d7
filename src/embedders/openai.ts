// The embedder for OpenAI-compatible
// endpoints: Ollama, llama.cpp, vLLM, OpenAI.

import type { Embedder, Vector } from "../answer/embedder.ts";
import { ask, endpointKey, endpointUrl } from "../endpoint.ts";
import { checkedVectors } from "./embeddings-response.ts";
import { call, failure } from "./upstream.ts";

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
    const answer = await call(
      WHO,
      () => this.#call(texts, signal),
      () => ": no answer",
      signal,
    );
    return checkedVectors(inOrder(answer), texts.length);
  }

  async #call(texts: readonly string[], signal: AbortSignal): Promise<unknown> {
    const response = await ask(endpointUrl(this.#baseUrl, "embeddings"), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        ...endpointKey(this.#baseUrl, this.#apiKey),
      },
      body: JSON.stringify({ model: this.model, input: texts, encoding_format: "float" }),
      // A redirect could leak the texts and the key.
      redirect: "manual",
      signal,
    });
    if (!response.ok) {
      response.body?.cancel().catch(() => {});
      throw failure(`${WHO} refused (HTTP ${response.status}).`);
    }
    const text = await bounded(response);
    try {
      return JSON.parse(text);
    } catch {
      // The parser's message would quote the response.
      throw failure(`${WHO}'s answer cannot be used: it is no JSON.`);
    }
  }
}

async function bounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of (response.body ?? new Blob().stream()) as ReadableStream<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > BODY_BYTES_MAX) throw failure(`${WHO}'s answer cannot be used: it is too long.`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
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
