// An embedding model that is none: texts that share words, or words that mean the same here, lie close
// together. Imports nothing, so that tests inside workerd share it with the server outside.

/** So many numbers has a vector. */
const DIMENSIONS = 256;

/** What means the same, whatever its letters. */
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
  // Even what holds no word has a direction.
  vector[0] = (vector[0] ?? 0) + 0.01;
  return vector;
}

/** FNV-1a. */
function hash(word: string): number {
  let sum = 0x811c9dc5;
  for (const character of word) sum = Math.imul(sum ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return sum >>> 0;
}

/** What the model server's `/embeddings` is told: `[[embedding {JSON}]]` in any of the texts. */
export interface EmbeddingDirective {
  readonly status?: number;
  /** Sent as it is, in place of an answer. */
  readonly body?: string;
  readonly fault?: "hang" | "cut" | "redirect" | "endless";
  /** The vectors come in this order, each with its place. */
  readonly order?: readonly number[];
}

export function directed(directive: EmbeddingDirective, text = "What is a car?"): string {
  return `${text} [[embedding ${JSON.stringify(directive)}]]`;
}

export function embeddingDirective(texts: readonly string[]): EmbeddingDirective {
  const json = /\[\[embedding (\{.*?\})\]\]/s.exec(texts.join("\n"))?.[1];
  return json === undefined ? {} : (JSON.parse(json) as EmbeddingDirective);
}
