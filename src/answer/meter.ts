// The meter of one ask: what its calls of models cost, in micro-dollars. A call
// counts at the most that it may cost, until the model has said how many tokens
// it used. So what the meter shows is never less than what was spent. A
// token is at least one byte: a prompt has no more tokens than bytes.

import type { Prices } from "../budget-config.ts";
import { ServiceError } from "../errors.ts";
import type { Ask, Finish } from "../protocol.ts";
import { byteLength } from "../text/pieces.ts";
import type { Message, OnText, Prompt, Usage } from "./generator.ts";
import { promptBytesMax } from "./prompt.ts";
import { REWRITE_TOKENS_MAX } from "./rewrite.ts";

/** A generator, or a chat model. */
interface Model<P extends Prompt> {
  generate(prompt: P, onText: OnText, signal: AbortSignal): Promise<Finish>;
}

/** What a chat template adds to each message, in tokens, and to all. */
const MESSAGE_TOKENS_MAX = 16;
/** The messages of a prompt beside those of the history. */
const OWN_MESSAGES = 2;

/** The most that an ask may cost, before anything is searched. */
export function worstCase(ask: Ask, isRewritten: boolean, prices: Prices): number {
  const messages = OWN_MESSAGES + ask.history.length;
  const input = promptBytesMax(ask) + (messages + 1) * MESSAGE_TOKENS_MAX;
  const answer = costOf({ input, output: ask.maxTokens }, prices);
  return answer + (isRewritten ? costOf(REWRITE_TOKENS_MAX, prices) : 0);
}

export class Meter {
  readonly #limit: number;
  readonly #prices: Prices;
  #cost = 0;
  #isClosed = false;

  /** @param limit What was reserved, in micro-dollars. */
  constructor(limit: number, prices: Prices) {
    this.#limit = limit;
    this.#prices = prices;
  }

  /** In micro-dollars. */
  get cost(): number {
    return this.#cost;
  }

  /** Nothing is asked any more, and nothing more is counted. */
  close(): void {
    this.#isClosed = true;
  }

  /** The same model, which counts. */
  metered<P extends Prompt>(model: Model<P>): Model<P> {
    return {
      generate: (prompt, onText, signal) => this.#call(model, prompt, onText, signal),
    };
  }

  /** Not async, so that the prompt is not kept while the model answers. */
  #call<P extends Prompt>(
    model: Model<P>,
    prompt: P,
    onText: OnText,
    signal: AbortSignal,
  ): Promise<Finish> {
    const { messages, maxTokens, onUsage } = prompt;
    const most = costOf({ input: tokensMax(messages), output: maxTokens }, this.#prices);
    // Exact also where a document is longer than any that we know of.
    if (this.#isClosed || this.#cost + most > this.#limit) return Promise.reject(tooLong());
    let counted = 0;
    const count = (cost: number) => {
      if (!this.#isClosed) this.#cost += cost - counted;
      counted = cost;
    };
    count(most);
    const metered = {
      ...prompt,
      isCounted: true,
      onUsage: (usage: Usage) => {
        // Some report the prompt first, and the answer never.
        if (usage.isWhole) count(costOf(tokensOf(usage, this.#prices), this.#prices));
        onUsage?.(usage);
      },
    };
    return model.generate(metered, onText, signal).catch((thrown: unknown) => {
      // What broke off may have gone on unseen.
      count(thrown instanceof ServiceError && thrown.details.isUnbilled ? 0 : most);
      throw thrown;
    });
  }
}

interface Tokens {
  readonly input: number;
  readonly output: number;
}

function costOf({ input, output }: Tokens, prices: Prices): number {
  return Math.ceil(input * prices.input + output * prices.output);
}

/** Some count thoughts in the total only, and some say the total only. */
function tokensOf({ total, prompt }: Usage, { input, output }: Prices): Tokens {
  if (prompt !== undefined && prompt <= total) return { input: prompt, output: total - prompt };
  return input > output ? { input: total, output: 0 } : { input: 0, output: total };
}

function tokensMax(messages: readonly Message[]): number {
  const bytes = messages.reduce((sum, { content }) => sum + byteLength(content), 0);
  return bytes + (messages.length + 1) * MESSAGE_TOKENS_MAX;
}

function tooLong(): ServiceError {
  return new ServiceError(
    "GENERATION_FAILED",
    "The passages are too long for what the operator's budget reserves. You were not charged; ask again with a smaller topK.",
    { diagnosis: "the prompt is longer than what was reserved of BUDGET_USD" },
  );
}
