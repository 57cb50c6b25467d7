// A generator that asks any OpenAI-compatible endpoint: Ollama, llama.cpp, vLLM, OpenAI, AI Gateway.
// What the endpoint says of its failures stays in a cause, and never reaches a user or the log. How long
// it may take is decided by the run, through the signal.

import type { Generation, Generator } from "../answer/generator.ts";
import { ask, endpointKey, endpointUrl } from "../endpoint.ts";
import type { Finish } from "../protocol.ts";
import { complete, failure } from "./completion-stream.ts";
import { type Form, inItsForm, parametersOf } from "./parameters.ts";
import { readRefusal, refusalInNames, refusalMessage } from "./refusal.ts";

interface Options {
  /** As `endpointBase` returns it. */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey: string | undefined;
}

/** How long to wait for the words of a refusal, how much to read, and how much to keep in a cause. */
const REFUSAL_WAIT_MS = 1000;
const REFUSAL_BYTES_MAX = 16 * 1024;
const COMPLAINT_LENGTH_MAX = 1000;

export class OpenAiGenerator implements Generator {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  generate(generation: Generation, signal: AbortSignal): AsyncGenerator<string, Finish, void> {
    const { baseUrl, model } = this.#options;
    return complete(
      {
        maxTokens: generation.maxTokens,
        model: { name: model, address: baseUrl },
        onSignOfLife: generation.onSignOfLife,
        ask: (upstream) => this.#ask(generation, upstream),
        complaint: (detail) => this.#complaint(detail),
      },
      signal,
    );
  }

  /** The body of an answer that the endpoint agreed to give. */
  #ask(generation: Generation, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { baseUrl, model } = this.#options;
    return inItsForm(`${baseUrl} ${model}`, async (form) => {
      const response = await this.#post(generation, form, signal);
      if (response.ok && response.body !== null) return { answer: response.body };
      const refusal = readRefusal(response.status, await beginningOf(response.body));
      signal.throwIfAborted();
      const error = failure(refusalMessage(refusal), {
        cause: this.#complaint(`HTTP ${refusal.status}: ${refusal.words}`),
        diagnosis: refusalInNames(refusal, this.#sent(generation)),
      });
      return { refusal, error };
    });
  }

  /** A response, whatever its status. */
  async #post(generation: Generation, form: Form, signal: AbortSignal): Promise<Response> {
    const { baseUrl, model, apiKey } = this.#options;
    try {
      return await ask(endpointUrl(baseUrl, "chat/completions"), {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "text/event-stream",
          ...endpointKey(baseUrl, apiKey),
        },
        body: JSON.stringify({ model, ...parametersOf(generation, form) }),
        // A redirect, followed, would take the prompt and the key to wherever it points.
        redirect: "manual",
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      throw failure("The model cannot be reached. You were not charged; ask again in a moment.", {
        cause: error,
        diagnosis: "no response",
      });
    }
  }

  /** All that the endpoint may repeat and no log may have. */
  #sent({ messages }: Generation): string {
    return [this.#options.apiKey, ...messages.map(({ content }) => content)].join("\n");
  }

  /** What the endpoint said, without the key that some repeat in their complaint. */
  #complaint(text: string): Error {
    const { apiKey } = this.#options;
    const safe = apiKey === undefined ? text : text.replaceAll(apiKey, "[key]");
    return new Error(safe.slice(0, COMPLAINT_LENGTH_MAX));
  }
}

/** The beginning of a body, as far as it comes soon. */
async function beginningOf(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const reader = body?.getReader();
  if (reader === undefined) return "";
  const cancel = () => reader.cancel().catch(() => {});
  const timer = setTimeout(cancel, REFUSAL_WAIT_MS);
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let length = 0; length < REFUSAL_BYTES_MAX; ) {
      const { value } = await reader.read();
      if (value === undefined) break;
      length += value.byteLength;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // What has come until then will do.
  } finally {
    clearTimeout(timer);
    cancel();
  }
  return text;
}
