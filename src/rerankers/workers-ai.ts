// The reranker for models of Workers AI, through the AI binding.

import type { Reranker } from "../answer/reranker.ts";
import { call } from "../upstream.ts";
import { workersAiErrorNote } from "../workers-ai.ts";
import { checkedScores } from "./scores.ts";

export class WorkersAiReranker implements Reranker {
  readonly #ai: Pick<Ai, "run">;
  readonly #model: string;

  constructor({ ai, model }: { readonly ai: Pick<Ai, "run">; readonly model: string }) {
    this.#ai = ai;
    this.#model = model;
  }

  async rerank(
    query: string,
    texts: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    const inputs = { query, contexts: texts.map((text) => ({ text })), top_k: texts.length };
    const run = async (): Promise<unknown> => this.#ai.run(this.#model, inputs, { signal });
    const answer = await call("The reranking model", run, workersAiErrorNote, signal);
    const results = (answer as { response?: unknown } | null)?.response;
    return checkedScores(results, texts.length, ({ id, score }) => ({ index: id, score }));
  }
}
