// What an answer is made with, as it is paid: counted by the meter, or without
// a model where the budget is used up.

import type { ChatModel, Generator } from "../answer/generator.ts";
import type { Adapters } from "../answer/pipeline.ts";
import type { Retriever } from "../answer/retriever.ts";
import type { Rewriter } from "../answer/rewriter.ts";
import type { Ask } from "../protocol.ts";
import { FALLBACK, type Payment } from "./payment.ts";

/** They throw UNAVAILABLE if a variable is wrong. */
export interface AdapterParts {
  retriever(collections: readonly string[]): Retriever;
  generator(): Generator;
  /** @param counted What its model is asked through. */
  rewriter(counted?: (model: ChatModel) => ChatModel): Rewriter | undefined;
  /** Without a model. */
  fallback(): Generator;
}

export function adaptersFor(
  { collections }: Ask,
  { budget, meter }: Payment,
  parts: AdapterParts,
): Adapters {
  const retriever = parts.retriever(collections);
  if (budget === FALLBACK) return { retriever, generator: parts.fallback(), rewriter: undefined };
  const generator = parts.generator();
  if (meter === undefined) return { retriever, generator, rewriter: parts.rewriter() };
  const rewriter = parts.rewriter((model) => meter.metered(model));
  return { retriever, generator: meter.metered(generator), rewriter };
}
