// The rewriter that asks a chat model, with a timeout. Whatever fails,
// the rule of answer/search-query.ts searches instead.

import type { ChatModel, Prompt, Usage } from "../answer/generator.ts";
import {
  oddityOf,
  QUERY_LENGTH_MAX,
  REWRITE_TOKENS_MAX,
  rewritePrompt,
} from "../answer/rewrite.ts";
import type { Rewrite, Rewriter } from "../answer/rewriter.ts";
import { withTimeout } from "../deadline.ts";
import { reasonOf, ServiceError } from "../errors.ts";
import type { Turn } from "../protocol.ts";

export class ModelRewriter implements Rewriter {
  readonly #model: ChatModel;
  readonly #waitMs: number;

  /** @param waitMs The timeout of the call. */
  constructor(model: ChatModel, waitMs: number) {
    this.#model = model;
    this.#waitMs = waitMs;
  }

  async rewrite(
    query: string,
    history: readonly Turn[],
    signal: AbortSignal,
    trace?: string,
  ): Promise<Rewrite | undefined> {
    if (query.length > QUERY_LENGTH_MAX) return undefined;
    let tokens: number | undefined;
    let why: string | undefined;
    const late = () => odd(`nothing in ${this.#waitMs} ms`);
    const onUsage = ({ total }: Usage) => {
      tokens = total;
    };
    const maxTokens = REWRITE_TOKENS_MAX.output;
    const prompt = { messages: rewritePrompt(query, history), maxTokens };
    const call = (stop: AbortSignal) => this.#ask({ ...prompt, trace, onUsage }, stop);
    try {
      const text = await withTimeout(this.#waitMs, late, call, signal);
      why = oddityOf(text, query, history);
      if (why === undefined) return { text, tokens };
    } catch (error) {
      signal.throwIfAborted();
      why = error instanceof ServiceError ? error.details.diagnosis : undefined;
      why ??= reasonOf(error);
    }
    console.warn("A question was not rewritten, and the rule searched:", why);
    return { text: undefined, tokens };
  }

  async #ask(prompt: Omit<Prompt, "temperature">, signal: AbortSignal): Promise<string> {
    let text = "";
    const finish = await this.#model.generate(
      { ...prompt, temperature: 0, isWhole: true },
      (piece) => {
        text += piece;
      },
      signal,
    );
    if (finish === "length") throw odd("the text was cut");
    return text.trim();
  }
}

/** The reason is for the log only. */
function odd(diagnosis: string): ServiceError {
  return new ServiceError("GENERATION_FAILED", "The question was not rewritten.", { diagnosis });
}
