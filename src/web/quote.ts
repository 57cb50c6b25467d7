// Finds the sentences of a snippet that an answer quotes.

/** Of the words of a sentence, in the claim. */
const SHARE_MIN = 0.7;
/** Fewer words are in many claims by chance. */
const WORDS_MIN = 3;

export interface Part {
  readonly text: string;
  readonly quoted: boolean;
}

/** The words of a claim, or of another text. */
export type WordSet = ReadonlySet<string>;

/** The parts of a text, in order. Sentences of one kind are one part. */
export function quotedParts(text: string, claims: readonly WordSet[]): readonly Part[] {
  if (claims.length === 0) return [{ text, quoted: false }];
  const parts: Part[] = [];
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: "sentence" }).segment(
    text,
  )) {
    const words = [...wordsOf(segment)];
    const quoted =
      words.length >= WORDS_MIN &&
      claims.some((claim) => words.filter((w) => claim.has(w)).length >= SHARE_MIN * words.length);
    const last = parts.at(-1);
    if (last?.quoted === quoted) parts[parts.length - 1] = { text: last.text + segment, quoted };
    else parts.push({ text: segment, quoted });
  }
  return parts;
}

export function wordsOf(text: string): WordSet {
  const words = new Intl.Segmenter(undefined, { granularity: "word" }).segment(text.toLowerCase());
  return new Set(
    Array.from(words)
      .filter(({ isWordLike }) => isWordLike)
      .map(({ segment }) => segment),
  );
}
