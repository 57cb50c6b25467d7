// A fake AI binding with an embedding model. It records its calls and fails on
// demand.

import { meaning } from "../support/meaning.ts";

interface EmbeddingCall {
  readonly model: string;
  readonly texts: readonly string[];
  readonly inputs: Record<string, unknown>;
}

/** The limit of bge-m3. */
const TEXTS_MAX = 100;

export class EmbeddingModel {
  readonly calls: EmbeddingCall[] = [];
  /** The call throws what it throws, and returns what it returns, if anything. */
  fault: ((texts: readonly string[]) => unknown) | undefined;

  async run(model: string, inputs: Record<string, unknown>): Promise<unknown> {
    const texts = inputs.text as string[];
    this.calls.push({ model, texts, inputs });
    const answer = await this.fault?.(texts);
    if (answer !== undefined) return answer;
    if (texts.length > TEXTS_MAX) throw new Error("3006: Request is too large");
    // Each model has vectors of its own, of the same length.
    const turn = model.length;
    const data = texts.map(meaning).map((all) => [...all.slice(turn), ...all.slice(0, turn)]);
    return { shape: [data.length, data[0]?.length], data, pooling: "cls" };
  }
}
