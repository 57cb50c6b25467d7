// A fake reranking model: a text that shares more words with the query is
// better. Imports nothing, so that tests inside workerd can share it.

/** The directive for `/rerank`: `[[rerank {JSON}]]` in the query. */
export interface RerankDirective {
  readonly status?: number;
  /** Sent unchanged, instead of an answer. */
  readonly body?: string;
  readonly fault?: "hang" | "cut" | "redirect" | "endless";
  /** The texts whose results are sent, by index, with these scores. */
  readonly results?: readonly (readonly [index: unknown, score: unknown])[];
  /** The server is Text Embeddings Inference: it wants `texts`. */
  readonly form?: "texts";
}

export function directed(directive: RerankDirective, query = "What is a car?"): string {
  return `${query} [[rerank ${JSON.stringify(directive)}]]`;
}

export function rerankDirective(query: string): RerankDirective {
  const json = /\[\[rerank (\{.*?\})\]\]/s.exec(query)?.[1];
  return json === undefined ? {} : (JSON.parse(json) as RerankDirective);
}

/** Not normalised, as some models send them. */
export function closeness(query: string, text: string): number {
  const words = new Set(wordsOf(text));
  return wordsOf(query).filter((word) => words.has(word)).length - 2;
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Best first, as servers sort them. */
export function reranked(
  query: string,
  texts: readonly string[],
  { results, form }: RerankDirective,
): unknown {
  const pairs =
    results ??
    texts
      .map((text, index) => [index, closeness(query, text)] as const)
      .sort(([, a], [, b]) => b - a);
  if (form === "texts") return pairs.map(([index, score]) => ({ index, score }));
  return {
    model: "scripted",
    results: pairs.map(([index, score]) => ({
      ...{ index, relevance_score: score, document: { text: texts[Number(index)] } },
    })),
  };
}
