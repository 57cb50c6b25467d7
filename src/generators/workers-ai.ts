// The generator for models of Workers AI, through the AI binding. The
// binding's error messages may repeat the prompt, so users and the log
// see only the code.

import type { ChatModel, OnText, Prompt } from "../answer/generator.ts";
import { abortable } from "../deadline.ts";
import { ServiceError } from "../errors.ts";
import type { Finish } from "../protocol.ts";
import { workersAiErrorCode } from "../workers-ai.ts";
import { complete, failure, type Reading } from "./completion-stream.ts";
import { type Form, inItsForm, parametersOf } from "./parameters.ts";

interface Options {
  readonly ai: Pick<Ai, "run">;
  readonly model: string;
}

/** The model is busy for a moment. */
const OUT_OF_CAPACITY = 3040;
/** The daily free allocation is used up, until 00:00 UTC. */
const DAY_USED_UP = [3036, 4006];
const TIMED_OUT = [3007, 3008];
const TOO_LARGE = 3006;

/** Models are remembered by address and name. These share one address. */
const ADDRESS = "workers-ai";

const CAPACITY_RETRY_S = 10;
const DAY_S = 86_400;

export class WorkersAiGenerator implements ChatModel {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  generate(prompt: Prompt, onText: OnText, signal: AbortSignal): Promise<Finish> {
    const { maxTokens, onSignOfLife, onUsage } = prompt;
    const reading: Reading = {
      model: { name: this.#options.model, address: ADDRESS },
      ...{ maxTokens, onText, onSignOfLife, onUsage },
      complaint: () => undefined,
    };
    // Not awaited here, so that the prompt is not kept while the model answers.
    return this.#ask(prompt, signal).then((body) => complete(body, reading, signal));
  }

  /** The body of an accepted request. */
  async #ask(prompt: Prompt, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    signal.throwIfAborted();
    return inItsForm(`${ADDRESS} ${this.#options.model}`, async (form) => {
      try {
        return { answer: await this.#run(prompt, form, signal) };
      } catch (error) {
        signal.throwIfAborted();
        const words = error instanceof Error ? error.message : "";
        return { refusal: { status: 400, param: "", words }, error: refusal(error) };
      }
    });
  }

  async #run(prompt: Prompt, form: Form, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const running = this.#call(prompt, form, signal);
    try {
      return await abortable(running, signal);
    } catch (error) {
      // The binding may ignore the signal: cancel what it returns later.
      running.then((body) => body.cancel()).catch(() => {});
      throw error;
    }
  }

  async #call(
    prompt: Prompt,
    form: Form,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const { ai, model } = this.#options;
    const answer: unknown = await ai.run(
      model,
      {
        // Without a limit, Workers AI cuts after 256 tokens.
        ...parametersOf(prompt, form),
        // These always think first, out of the same limit, and for long
        // by default.
        ...(form.reasoningEffort && model.includes("/gpt-oss") && { reasoning_effort: "low" }),
      },
      { signal },
    );
    if (answer instanceof ReadableStream) return answer;
    // Some models do not stream: the binding returns one parsed object.
    return new Blob([JSON.stringify(answer ?? null)]).stream();
  }
}

function refusal(error: unknown): ServiceError {
  const code = workersAiErrorCode(error);
  if (code === undefined) {
    return failure(
      "The model failed. You were not charged; ask again in a moment.",
      cause("no error code", error),
    );
  }
  const which = `(Workers AI error ${code})`;
  if (code === OUT_OF_CAPACITY) {
    return unavailable(
      `The model is busy ${which}. You were not charged; ask again in a moment.`,
      CAPACITY_RETRY_S,
    );
  }
  if (DAY_USED_UP.includes(code)) {
    return unavailable(
      `The model has reached its daily limit ${which}. You were not charged; ask again after 00:00 UTC.`,
      DAY_S - (Math.floor(Date.now() / 1000) % DAY_S),
    );
  }
  const details = { ...cause(`error ${code}`, error), isUnbilled: code === TOO_LARGE };
  return failure(explanation(code, which), details);
}

function explanation(code: number, which: string): string {
  if (TIMED_OUT.includes(code))
    return `The model took too long ${which}. You were not charged; ask again in a moment.`;
  if (code === TOO_LARGE) {
    return `The question is too long for the model ${which}. You were not charged; ask again with less history or a smaller topK.`;
  }
  return `The model refused the request ${which}. You were not charged. If this continues, tell the operator of this service.`;
}

function unavailable(message: string, seconds: number): ServiceError {
  const headers = { "retry-after": `${seconds}` };
  return new ServiceError("UNAVAILABLE", message, { headers, isUnbilled: true });
}

/** The kind of error, for the log, without its message. */
function cause(what: string, error: unknown) {
  const name = error instanceof Error ? error.name : typeof error;
  const diagnosis = `Workers AI: ${what} (${/^\w{1,40}$/.test(name) ? name : "Error"})`;
  return { cause: new Error(diagnosis), diagnosis };
}
