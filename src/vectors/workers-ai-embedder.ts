// An embedder that asks a model of Workers AI, through the binding AI.

import type { Embedder, Vector } from "../corpus/embedder.ts";
import { embeddings } from "./embeddings.ts";
import { ask } from "./upstream.ts";

interface Options {
  readonly ai: Pick<Ai, "run">;
  readonly model: string;
}

export class WorkersAiEmbedder implements Embedder {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  get model(): string {
    return this.#options.model;
  }

  async embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Vector[]> {
    const { ai, model } = this.#options;
    const inputs = {
      text: texts,
      // Without it, one text that is too long fails all that come with it. Others cut by themselves.
      ...(model.endsWith("/bge-m3") && { truncate_inputs: true }),
    };
    const call = async (): Promise<unknown> => ai.run(model, inputs, { signal });
    const answer = await ask("The embedding model", call, errorCode, signal);
    return embeddings((answer as { data?: unknown } | null)?.data, texts.length);
  }
}

/** As the binding throws it: `3040: Capacity temporarily exceeded`, its class before that or not. */
function errorCode(thrown: unknown): string {
  const words = thrown instanceof Error ? thrown.message : "";
  const code = /^(?:\w+: ){0,2}(\d{4,5})(?:: |$)/.exec(words)?.[1];
  return code === undefined ? "" : ` (Workers AI error ${code})`;
}
