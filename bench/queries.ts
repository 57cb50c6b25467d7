// Queries for the project's own docs: sentences of theirs, cut to the
// length of a question. None comes twice, and each run has the same ones.

const WORDS_MIN = 4;
const WORDS_MAX = 10;

/** Endless: where the sentences end, it joins halves of two. */
export function* queriesFrom(documents: Iterable<{ readonly text: string }>) {
  const sentences = Array.from(documents, ({ text }) => sentencesOf(text)).flat();
  const seen = new Set<string>();
  const isNew = (query: string) => seen.size < seen.add(query).size;
  // A step that shares no factor with the count visits each once.
  const step = coprime(sentences.length, 619);
  for (let turn = 0; ; turn += 1) {
    const words = sentences[(turn * step) % sentences.length] ?? [];
    const lap = Math.floor(turn / sentences.length);
    const others = lap === 0 ? [] : (sentences[(turn * step + lap) % sentences.length] ?? []);
    const query = [...words.slice(0, lap === 0 ? WORDS_MAX : 4), ...others.slice(-4)].join(" ");
    if (isNew(query)) yield query;
  }
}

/** Of prose: no code, no tables, no headings. */
function sentencesOf(markdown: string): string[][] {
  return markdown
    .replace(/^```.*?^```/gms, "")
    .split("\n")
    .filter((line) => /^(?:\d+\. |- )?[A-Z]/.test(line))
    .flatMap((line) => line.split(/[.:;?!](?:\s|$)/))
    .map((sentence) => sentence.match(/[\p{L}\p{N}][\p{L}\p{N}'’_-]*/gu) ?? [])
    .filter(({ length }) => length >= WORDS_MIN)
    .map((words) => words.slice(0, WORDS_MAX));
}

function coprime(count: number, wanted: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  for (let step = wanted; ; step += 1) if (divisor(count, step) === 1) return step;
}
