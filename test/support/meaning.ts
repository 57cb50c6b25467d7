// A fake embedding model: texts that share words or synonyms are close.
// Imports nothing, so that tests inside workerd can share it.

/** Numbers in a vector. */
const DIMENSIONS = 256;

/** Synonyms. */
const SAME: Readonly<Record<string, string>> = {
  automobile: "car",
  vehicle: "car",
  physician: "doctor",
  medic: "doctor",
  costs: "price",
  fee: "price",
};

export function meaning(text: string): number[] {
  const vector = new Array<number>(DIMENSIONS).fill(0);
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
    const place = hash(SAME[word] ?? word) % DIMENSIONS;
    vector[place] = (vector[place] ?? 0) + 1;
  }
  // A text without words needs a direction too.
  vector[0] = (vector[0] ?? 0) + 0.01;
  return vector;
}

/** FNV-1a. */
function hash(word: string): number {
  let sum = 0x811c9dc5;
  for (const character of word) sum = Math.imul(sum ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return sum >>> 0;
}

/** The directive for `/embeddings`: `[[embedding {JSON}]]` in any text. */
export interface EmbeddingDirective {
  readonly status?: number;
  /** Sent unchanged, instead of an answer. */
  readonly body?: string;
  readonly fault?: "hang" | "cut" | "redirect" | "endless";
  /** The order in which vectors are sent, each with its index. */
  readonly order?: readonly number[];
}

export function directed(directive: EmbeddingDirective, text = "What is a car?"): string {
  return `${text} [[embedding ${JSON.stringify(directive)}]]`;
}

export function embeddingDirective(texts: readonly string[]): EmbeddingDirective {
  const json = /\[\[embedding (\{.*?\})\]\]/s.exec(texts.join("\n"))?.[1];
  return json === undefined ? {} : (JSON.parse(json) as EmbeddingDirective);
}
