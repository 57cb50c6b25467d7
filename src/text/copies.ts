// Copies: passages that say the same, apart from case,
// white space and punctuation. Pure.

interface Copyable {
  /** The id of the document, `#`, and the passage's number in it. */
  readonly id: string;
  readonly heading: readonly string[];
  readonly text: string;
  /** Higher is better. */
  readonly relevance?: number | undefined;
  /** Its copyKey, if that is known. */
  readonly copyKey?: string | undefined;
}

/**
 * In bytes of UTF-8. A shorter text, such as "Default: 30 s",
 * says something else under another heading.
 */
const TELLING_MIN = 60;

const MARK = /[\p{P}\s`]/u;
const DIGIT = /\p{N}/u;
const MINUS = /[-−]$/;

/**
 * Passages, best first, one of each text: the first, or of
 * equals the one with the lowest id.
 */
export class Distinct<T extends Copyable> {
  readonly #byKey = new Map<string, T>();

  add(passage: T): void {
    const key = passage.copyKey ?? copyKey(passage.heading, passage.text);
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
  const said = plain(text);
  return hash(size(said) >= TELLING_MIN ? said : [...heading.map(plain), said].join("\n"));
}

/** Marks stay where they change a number: `1.5`, `10 000`, `-5`. */
function plain(text: string): string {
  const folded = text.normalize("NFKC").toLowerCase();
  let kept = "";
  let from = 0;
  for (let at = 0; at < folded.length; at++) {
    if (kindOf(folded.charCodeAt(at)) !== KIND.mark) continue;
    kept += folded.slice(from, at);
    from = at + 1;
    while (kindOf(folded.charCodeAt(from)) === KIND.mark) from += 1;
    if (kindOf(folded.charCodeAt(from)) === KIND.digit) kept += beforeDigit(folded, at, from);
    at = from;
  }
  return kept + folded.slice(from);
}

/** What stays of a run of marks that a digit follows. */
function beforeDigit(text: string, start: number, end: number): string {
  const run = text.slice(start, end);
  if (kindOf(text.charCodeAt(start - 1)) === KIND.digit) return run.trim() || " ";
  return MINUS.test(run) && (start === 0 || run.length > 1) ? "-" : "";
}

const KIND = { unknown: 0, mark: 1, digit: 2, other: 3 };
/** By UTF-16 unit: an expression for each unit would take most of the time. */
const kinds = new Uint8Array(0x10000);

/** NaN, beyond the text, is no mark. */
function kindOf(unit: number): number {
  const known = kinds[unit] ?? KIND.other;
  if (known !== KIND.unknown) return known;
  const character = String.fromCharCode(unit);
  const kind = MARK.test(character) ? KIND.mark : DIGIT.test(character) ? KIND.digit : KIND.other;
  kinds[unit] = kind;
  return kind;
}

/** In bytes of UTF-8, at least. */
function size(text: string): number {
  if (text.length >= TELLING_MIN) return text.length;
  return new TextEncoder().encode(text).length;
}

/** FNV-1a, twice. */
function hash(text: string): string {
  let [a, b] = [0x811c9dc5, 0x9747b28c];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(((b << 13) | (b >>> 19)) ^ unit, 0x5bd1e995);
  }
  return [a, b].map((half) => (half >>> 0).toString(36).padStart(7, "0")).join("");
}

function isLower(id: string, than: string): boolean {
  const [a, b] = [id.lastIndexOf("#"), than.lastIndexOf("#")];
  const [document, other] = [id.slice(0, a), than.slice(0, b)];
  if (document !== other) return document < other;
  return Number(id.slice(a + 1)) < Number(than.slice(b + 1));
}
