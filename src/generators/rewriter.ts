// The rewriter that asks a chat model, with a timeout. Whatever fails,
// the rule of answer/search-query.ts searches instead.

import type { ChatModel } from "../answer/generator.ts";
import { oddityOf, QUERY_LENGTH_MAX, rewritePrompt } from "../answer/rewrite.ts";
import type { Rewrite, Rewriter } from "../answer/rewriter.ts";
import { withTimeout } from "../deadline.ts";
import { reasonOf, ServiceError } from "../errors.ts";
import type { Turn } from "../protocol.ts";

/** Models that think use it for thoughts too. */
const TOKENS_MAX = 300;

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
  ): Promise<Rewrite | undefined> {
    if (query.length > QUERY_LENGTH_MAX) return undefined;
    let tokens: number | undefined;
    let why: string | undefined;
    const late = () => odd(`nothing in ${this.#waitMs} ms`);
    const call = (stop: AbortSignal) =>
      this.#ask(query, history, stop, (count) => {
        tokens = count;
      });
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

  async #ask(
    query: string,
    history: readonly Turn[],
    signal: AbortSignal,
    onUsage: (tokens: number) => void,
  ): Promise<string> {
    const prompt = { messages: rewritePrompt(query, history), maxTokens: TOKENS_MAX };
    let text = "";
    const finish = await this.#model.generate(
      { ...prompt, temperature: 0, isWhole: true, onUsage },
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
