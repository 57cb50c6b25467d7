// Copies: passages that say the same, apart from case,
// white space and punctuation. Pure.

interface Copyable {
  /** The id of the document, `#`, and the passage's number in it. */
  readonly id: string;
  readonly heading: readonly string[];
  readonly text: string;
  /** Higher is better. */
  readonly relevance?: number | undefined;
}

/**
 * In bytes of UTF-8. A shorter text, such as "Default: 30 s",
 * says something else under another heading.
 */
const TELLING_MIN = 60;

const MARKS = /[\p{P}\s`]+/gu;
const DIGIT = /\p{N}/u;
const MINUS = /[-−]$/u;

/**
 * Passages, best first, one of each text: the first, or of
 * equals the one with the lowest id.
 */
export class Distinct<T extends Copyable> {
  readonly #byKey = new Map<string, T>();

  add(passage: T): void {
    const key = copyKey(passage.heading, passage.text);
    const known = this.#byKey.get(key);
    const isAsGood = known?.relevance === passage.relevance;
    if (known && !(isAsGood && isLower(passage.id, known.id))) return;
    this.#byKey.set(key, passage);
  }

  get size(): number {
    return this.#byKey.size;
  }

  get keys(): readonly string[] {
    return [...this.#byKey.keys()];
  }

  get passages(): readonly T[] {
    return [...this.#byKey.values()];
  }
}

export function withoutCopies<T extends Copyable>(passages: readonly T[]): readonly T[] {
  const distinct = new Distinct<T>();
  for (const passage of passages) distinct.add(passage);
  return distinct.passages;
}

/** Copies have the same key: 64 bits, in letters and digits. */
export function copyKey(heading: readonly string[], text: string): string {
  const bytes = new TextEncoder().encode(plain(text));
  if (bytes.length >= TELLING_MIN) return hash(bytes);
  return hash(new TextEncoder().encode([...heading, text].map(plain).join("\n")));
}

/** Marks stay where they change a number: `1.5`, `10 000`, `-5`. */
function plain(text: string): string {
  const folded = text.normalize("NFKC").toLowerCase();
  return folded.replace(MARKS, (run, at: number) => {
    if (!DIGIT.test(folded.charAt(at + run.length))) return "";
    if (DIGIT.test(folded.charAt(at - 1))) return run.trim() || " ";
    return MINUS.test(run) && (at === 0 || run.length > 1) ? "-" : "";
  });
}

/** FNV-1a, twice. */
function hash(bytes: Uint8Array): string {
  let [a, b] = [0x811c9dc5, 0x9747b28c];
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(((b << 13) | (b >>> 19)) ^ byte, 0x5bd1e995);
  }
  return [a, b].map((half) => (half >>> 0).toString(36).padStart(7, "0")).join("");
}

function isLower(id: string, than: string): boolean {
  const [a, b] = [id.lastIndexOf("#"), than.lastIndexOf("#")];
  const [document, other] = [id.slice(0, a), than.slice(0, b)];
  if (document !== other) return document < other;
  return Number(id.slice(a + 1)) < Number(than.slice(b + 1));
}
