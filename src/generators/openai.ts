// The generator for OpenAI-compatible endpoints: Ollama, llama.cpp,
// vLLM, OpenAI, AI Gateway. An endpoint's error messages stay in a
// cause, and reach neither users nor the log. Timeouts are the run's,
// through the signal.

import type { ChatModel, OnText, Prompt } from "../answer/generator.ts";
import { ask, endpointHost, endpointKey, endpointUrl, localPlace } from "../endpoint.ts";
import type { Finish } from "../protocol.ts";
import { complete, failure, type Reading } from "./completion-stream.ts";
import { type Form, inItsForm, parametersOf } from "./parameters.ts";
import { readRefusal, refusalInNames, refusalMessage } from "./refusal.ts";

interface Options {
  /** As `endpointBase` returns it. */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey: string | undefined;
}

/** The limits of reading a refusal, and of keeping it in a cause. */
const REFUSAL_WAIT_MS = 1000;
const REFUSAL_BYTES_MAX = 16 * 1024;
const COMPLAINT_LENGTH_MAX = 1000;

export class OpenAiGenerator implements ChatModel {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  generate(prompt: Prompt, onText: OnText, signal: AbortSignal): Promise<Finish> {
    const { baseUrl, model } = this.#options;
    const { maxTokens, onSignOfLife, onUsage } = prompt;
    const reading: Reading = {
      model: { name: model, address: baseUrl },
      ...{ maxTokens, onText, onSignOfLife, onUsage },
      complaint: (detail) => this.#complaint(detail),
    };
    // Not awaited here, so that the prompt is not kept while the model answers.
    return this.#ask(prompt, signal).then((body) => complete(body, reading, signal));
  }

  /** The body of an accepted request. */
  async #ask(prompt: Prompt, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    signal.throwIfAborted();
    const { baseUrl, model } = this.#options;
    return inItsForm(`${baseUrl} ${model}`, async (form) => {
      const response = await this.#post(prompt, form, signal);
      if (response.ok && response.body !== null) return { answer: response.body };
      const refusal = readRefusal(response.status, await beginningOf(response.body));
      signal.throwIfAborted();
      const error = failure(refusalMessage(refusal), {
        cause: this.#complaint(`HTTP ${refusal.status}: ${refusal.words}`),
        diagnosis: refusalInNames(refusal, this.#sent(prompt)),
        isUnbilled: isUnbilled(refusal.status),
      });
      return { refusal, error };
    });
  }

  /** A response of any status. */
  async #post(prompt: Prompt, form: Form, signal: AbortSignal): Promise<Response> {
    const { baseUrl, model, apiKey } = this.#options;
    try {
      return await ask(endpointUrl(baseUrl, "chat/completions"), {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "text/event-stream",
          ...endpointKey(baseUrl, apiKey),
          ...(prompt.trace !== undefined && { traceparent: prompt.trace }),
        },
        body: JSON.stringify({ model, ...parametersOf(prompt, form) }),
        // Following a redirect would send the prompt and the key elsewhere.
        redirect: "manual",
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      const place = localPlace(baseUrl);
      const advice = place === "" ? "; ask again in a moment." : ". Is its server running?";
      throw failure(`The model cannot be reached${place}. You were not charged${advice}`, {
        cause: error,
        diagnosis: `no response from ${endpointHost(baseUrl)}: check OPENAI_BASE_URL, and that a server runs there`,
      });
    }
  }

  /** What the endpoint may repeat, and the log must not show. */
  #sent({ messages }: Prompt): string {
    return [this.#options.apiKey, ...messages.map(({ content }) => content)].join("\n");
  }

  /** The endpoint's message, without the key that some repeat. */
  #complaint(text: string): Error {
    const { apiKey } = this.#options;
    const safe = apiKey === undefined ? text : text.replaceAll(apiKey, "[key]");
    return new Error(safe.slice(0, COMPLAINT_LENGTH_MAX));
  }
}

/** Behind other errors of a server or a proxy, a model may have worked. */
function isUnbilled(status: number): boolean {
  return status < 500 || status === 503;
}

/** The beginning of a body, within the limits of time and size. */
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
    // The part that arrived is enough.
  } finally {
    clearTimeout(timer);
    cancel();
  }
  return text;
}
