// In place of the binding AI, as an embedding model of Workers AI: what it was asked is on record, and it
// fails on demand.

import { meaning } from "../support/meaning.ts";

interface EmbeddingCall {
  readonly model: string;
  readonly texts: readonly string[];
  readonly inputs: Record<string, unknown>;
}

/** bge-m3 takes no more. */
const TEXTS_MAX = 100;

export class EmbeddingModel {
  readonly calls: EmbeddingCall[] = [];
  /** What it throws, the call throws; what it returns or resolves to, unless undefined, is the answer. */
  fault: ((texts: readonly string[]) => unknown) | undefined;

  async run(model: string, inputs: Record<string, unknown>): Promise<unknown> {
    const texts = inputs.text as string[];
    this.calls.push({ model, texts, inputs });
    const answer = await this.fault?.(texts);
    if (answer !== undefined) return answer;
    if (texts.length > TEXTS_MAX) throw new Error("3006: Request is too large");
    // As another model of the same length would, each puts its meaning elsewhere.
    const turn = model.length;
    const data = texts.map(meaning).map((all) => [...all.slice(turn), ...all.slice(0, turn)]);
    return { shape: [data.length, data[0]?.length], data, pooling: "cls" };
  }
}
