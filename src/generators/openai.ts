// A generator that asks any OpenAI-compatible endpoint: Ollama, llama.cpp, vLLM, OpenAI, AI Gateway.
// What the endpoint says of its failures goes to the log, as a cause, and never to a user. How long it
// may take is decided by the run, through the signal.

import type { Generation, Generator } from "../answer/generator.ts";
import type { Finish } from "../protocol.ts";
import { complete, failure } from "./completion-stream.ts";

interface Options {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey: string | undefined;
}

/** How long to wait for the words of a refusal, and how much of any complaint to keep for the log. */
const COMPLAINT_WAIT_MS = 1000;
const COMPLAINT_LENGTH_MAX = 1000;

export class OpenAiGenerator implements Generator {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  generate(generation: Generation, signal: AbortSignal): AsyncGenerator<string, Finish, void> {
    return complete(
      {
        maxTokens: generation.maxTokens,
        ask: (upstream) => this.#ask(generation, upstream),
        complaint: (detail) => this.#complaint(detail),
      },
      signal,
    );
  }

  /** The body of an answer that the endpoint agreed to give. */
  async #ask(
    { messages, maxTokens, temperature }: Generation,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const { baseUrl, model, apiKey } = this.#options;
    let response: Response;
    try {
      response = await fetch(`${baseUrl}/chat/completions`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "text/event-stream",
          ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
        },
        body: JSON.stringify({ model, messages, stream: true, max_tokens: maxTokens, temperature }),
        // A redirect, followed, would take the prompt and the key to wherever it points.
        redirect: "manual",
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      throw failure("The model cannot be reached. Ask again in a moment.", error);
    }
    if (response.ok && response.body !== null) return response.body;

    // Its first chunk is enough for a log, and none may ever come.
    const body = response.body?.getReader();
    const timer = setTimeout(() => body?.cancel().catch(() => {}), COMPLAINT_WAIT_MS);
    const first = await body?.read().catch(() => undefined);
    clearTimeout(timer);
    signal.throwIfAborted();
    const words = new TextDecoder().decode(first?.value);
    throw failure(refusal(response.status), this.#complaint(`HTTP ${response.status}: ${words}`));
  }

  /** What the endpoint said, as the log may have it: some repeat the key in their complaint. */
  #complaint(text: string): Error {
    const { apiKey } = this.#options;
    const safe = apiKey === undefined ? text : text.replaceAll(apiKey, "[key]");
    return new Error(safe.slice(0, COMPLAINT_LENGTH_MAX));
  }
}

function refusal(status: number): string {
  const how = `(HTTP ${status})`;
  if (status === 429 || status === 503) return `The model is busy ${how}. Ask again in a moment.`;
  if (status >= 500) return `The model failed ${how}. Ask again in a moment.`;
  return `The model refused the request ${how}. If it goes on, tell the operator of this service.`;
}
