// A generator that asks any OpenAI-compatible endpoint: Ollama, llama.cpp, vLLM, OpenAI, AI Gateway.
// What the endpoint says of its failures goes to the log, as a cause, and never to a user. How long it
// may take is decided by the run, through the signal.

import type { Generation, Generator } from "../answer/generator.ts";
import { ServiceError } from "../errors.ts";
import type { Finish } from "../protocol.ts";
import { Completion } from "./completion.ts";

interface Options {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey: string | undefined;
}

/** The text is whole at its finish reason: an endpoint that does not end its stream soon is left. */
const END_WAIT_MS = 1000;
/** How long to wait for the words of a refusal, and how much of any complaint to keep for the log. */
const COMPLAINT_WAIT_MS = 1000;
const COMPLAINT_LENGTH_MAX = 1000;

export class OpenAiGenerator implements Generator {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  async *generate(
    generation: Generation,
    signal: AbortSignal,
  ): AsyncGenerator<string, Finish, void> {
    signal.throwIfAborted();
    // Aborted on every way out, since an endpoint that nobody stops generates, and bills, to its end.
    // It is our own because who merely stops reading aborts no signal.
    const upstream = new AbortController();
    const abort = () => upstream.abort(signal.reason);
    signal.addEventListener("abort", abort);
    const completion = new Completion();
    const decoder = new TextDecoder();
    let broken: unknown;
    let endTimer: number | null = null;
    try {
      const body = await this.#ask(generation, upstream);
      while (!completion.ended) {
        let bytes: Uint8Array | undefined;
        try {
          bytes = (await body.read()).value;
        } catch (error) {
          signal.throwIfAborted();
          // Like an end: whether the text was whole by then is for the completion to say.
          broken = error;
        }
        completion.feed(decoder.decode(bytes, { stream: bytes !== undefined }));
        if (bytes === undefined) completion.end();
        for (const piece of completion.take()) yield piece;
        if (completion.finish !== undefined) {
          endTimer ??= setTimeout(() => upstream.abort(), END_WAIT_MS);
        }
      }
    } finally {
      clearTimeout(endTimer);
      signal.removeEventListener("abort", abort);
      upstream.abort();
    }
    const outcome = completion.outcome();
    if ("finish" in outcome) return outcome.finish;
    throw failure(outcome.failure, broken ?? this.#complaint(outcome.detail));
  }

  /** The body of an answer that the endpoint agreed to give. */
  async #ask(
    { messages, maxTokens, temperature }: Generation,
    upstream: AbortController,
  ): Promise<ReadableStreamDefaultReader<Uint8Array>> {
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
        signal: upstream.signal,
      });
    } catch (error) {
      upstream.signal.throwIfAborted();
      throw failure("The model cannot be reached. Ask again in a moment.", error);
    }
    const body = response.body?.getReader();
    if (response.ok && body !== undefined) return body;

    // Its first chunk is enough for a log, and none may ever come.
    const timer = setTimeout(() => body?.cancel(), COMPLAINT_WAIT_MS);
    const first = await body?.read().catch(() => undefined);
    clearTimeout(timer);
    upstream.signal.throwIfAborted();
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

function failure(message: string, cause: unknown): ServiceError {
  return new ServiceError("GENERATION_FAILED", message, { cause });
}
