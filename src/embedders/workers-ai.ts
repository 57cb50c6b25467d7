// The embedder for models of Workers AI, through the AI binding.

import type { Embedder, Vector } from "../answer/embedder.ts";
import { call } from "../upstream.ts";
import { workersAiErrorNote } from "../workers-ai.ts";
import { checkedVectors } from "./embeddings-response.ts";

export class WorkersAiEmbedder implements Embedder {
  readonly model: string;
  readonly #ai: Pick<Ai, "run">;

  constructor({ ai, model }: { readonly ai: Pick<Ai, "run">; readonly model: string }) {
    this.model = model;
    this.#ai = ai;
  }

  async embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Vector[]> {
    const inputs = {
      text: texts,
      // bge-m3 would refuse all texts if one
      // is too long. Other models truncate.
      ...(this.model.endsWith("/bge-m3") && { truncate_inputs: true }),
    };
    const run = async (): Promise<unknown> => this.#ai.run(this.model, inputs, { signal });
    const answer = await call("The embedding model", run, workersAiErrorNote, signal);
    return checkedVectors((answer as { data?: unknown } | null)?.data, texts.length);
  }
}
