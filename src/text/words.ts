// The words of a text: runs of letters and digits, compounds also as one
// word, versions with their beginnings. Single characters and pairs of
// neighbours in Chinese and Japanese, and runs of three letters in the
// other scripts without spaces, count as words. Pure.

import { stemmer } from "stemmer";
import { foldWord } from "./folding.ts";
import { type Language, StopWords } from "./stop-words.ts";

const THREES = String.raw`\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`;
const PAIRS = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々〆`;

/** Scripts without spaces between words. */
export const UNSPACED = PAIRS + THREES;

const PAIRED_CHARACTER = new RegExp(`[${PAIRS}]`, "v");
const UNSPACED_CHARACTER = new RegExp(`^[${UNSPACED}]`, "v");

// A version (group 1), or a run. A longer run than 64 characters is no
// word: it counts as several.
const RUN = new RegExp(
  String.raw`(?=[vV]?\d)(?<![\p{L}\p{M}\p{N}.])[vV]?(\d{1,9}(?:\.\d{1,9}){1,4})(?![\p{L}\p{M}\p{N}])|[${PAIRS}]+|[${THREES}]+|[[\p{L}\p{M}\p{N}]--[${UNSPACED}]]{1,64}`,
  "gv",
);

// Names of languages and platforms that differ from others by marks.
const MARK_OF_LETTER = /\+\+|#/;
const LETTER_WITH_MARK = /(?<![\p{L}\p{M}\p{N}])([a-zA-Z])(\+\+|#)(?![\p{L}\p{M}\p{N}])/gu;
const DOT_NET = /\.net(?<=(?:[\s("'`,/]|^|\basp)\.net)(?![\p{L}\p{M}\p{N}])/giu;

// `getUserById`, not `JavaScript`: names are not put together at will.
const CAMEL_CASE = /^[a-z]+[0-9]*[A-Z]/;
const CAMEL_PARTS = /(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/;
const HYPHEN = /^[-\u2010\u2011]$/;
/** Longer chains, such as state-of-the-art, are no single word. */
const COMPOUND_PARTS_MAX = 3;

const LATIN = /^\p{Script=Latin}/u;
const ASCII = /^[a-z0-9]+$/;
const DIGITS = /^\d+$/;
const HAS_DIGIT = /\d/;
const HANGUL = /^\p{Script=Hangul}/u;
const ARABIC = /^\p{Script=Arabic}/u;
const HEBREW = /^\p{Script=Hebrew}/u;
const CYRILLIC = /^\p{Script=Cyrillic}/u;
// Larkey, Ballesteros and Connell: Light Stemming for Arabic Information
// Retrieval (light10). The letters are folded already.
const ARABIC_BEGINNING = /^و?(?:(?:ال|بال|كال|فال|لل)(?=..)|(?<=و)(?=...))/u;
const ARABIC_ENDING = /(?<=..)(?:ها|ان|ات|ون|ين|يه|ه|ي)$/u;
/** Articles, prepositions and conjunctions. */
const HEBREW_BEGINNING = /^[והבלמשכ]{1,2}(?=...)/u;

/** Of nouns and adjectives in Slavic languages. */
const CYRILLIC_ENDING =
  /(?<=..)(?:[аяеоиы][мх]и?|[оеы][йм]|ы?ми|[оеи]го|[ое]му|[ое]в|[иы]й|[ую]ю|[ая]я|[ое]е|[ыи]е|[аяоеуюыийь])$/u;

// A letter, so that FTS5 keeps it in a term, but of phonetics: no text
// has it before such a term.
const MARK = "ː";
const PREFIX_LENGTH = 5;
/** Without its ending, a word may be shorter. */
const PREFIX_LENGTH_MIN = 4;

const STOP_WORDS = new StopWords(foldWord);

/** A word of a text, or a unit of a script without spaces. */
export interface Word {
  /** Folded. */
  readonly text: string;
  readonly term: string;
  /** As it was written. */
  readonly written: string;
  readonly isUnit: boolean;
  readonly isLatin: boolean;
  /** A marked term: its beginning, which stays when its ending changes. */
  readonly prefix: string | undefined;
  /** Marked terms, each a part of the word. */
  readonly parts: readonly string[];
  /** The compound that it is a part of. */
  readonly whole: string | undefined;
  /** The word is put together from the parts before it. */
  readonly isWhole: boolean;
}

/** The words of one run. */
interface Run {
  readonly words: readonly Word[];
  /** What it adds to a compound. */
  readonly link: string | undefined;
}

/** Runs are read once: most words are common ones. */
const RUNS = new Map<string, Run>();
const RUNS_MAX = 10_000;

export function words(folded: string): Word[] {
  const text = withoutMarks(folded).replace(DOT_NET, " dotnet");
  const found: Word[] = [];
  /** The runs since the last that no hyphen followed. */
  let chain: string[] = [];
  let chainStart = 0;
  let end = -1;
  const closeChain = () => {
    if (chain.length > 1 && chain.length <= COMPOUND_PARTS_MAX) {
      const whole = chain.join("");
      if (!DIGITS.test(whole)) {
        for (let i = chainStart; i < found.length; i++) {
          found[i] = { ...(found[i] as Word), whole };
        }
        found.push({ ...newWord(whole, whole), isWhole: true });
      }
    }
    if (chain.length > 0) chain = [];
  };
  for (const { 0: run, 1: version, index } of text.matchAll(RUN)) {
    if (index !== end + 1 || !HYPHEN.test(text.charAt(end))) closeChain();
    end = index + run.length;
    if (version !== undefined) {
      closeChain();
      const numbers = version.split(".");
      for (const i of numbers.keys()) found.push(unit(numbers.slice(0, i + 1).join(MARK)));
    } else if (UNSPACED_CHARACTER.test(run)) {
      closeChain();
      for (const one of isPaired(run) ? pairs(run) : neighbours(run, 3)) found.push(unit(one));
    } else {
      const { words, link } = readRun(run);
      if (link === undefined) closeChain();
      else {
        if (chain.length === 0) chainStart = found.length;
        chain.push(link);
      }
      for (const word of words) found.push(word);
    }
  }
  closeChain();
  return found;
}

/** Whether a term is a further one of the word before it. */
export function isMarked(term: string): boolean {
  return term.startsWith(MARK);
}

function withoutMarks(text: string): string {
  if (!MARK_OF_LETTER.test(text)) return text;
  return text.replace(
    LETTER_WITH_MARK,
    (_, letter, mark) => letter + (mark === "#" ? "sharp" : "pp"),
  );
}

/** Whether a text has characters of Chinese or Japanese. */
export function isPaired(text: string): boolean {
  return PAIRED_CHARACTER.test(text);
}

export function isStopWord(word: Word, language: Language | undefined): boolean {
  return STOP_WORDS.has(word.text, language);
}

/** The language of texts in Latin letters, if at least `countMin` words show it. */
export function languageOf(
  texts: readonly (readonly Word[])[],
  countMin: number,
): Language | undefined {
  return STOP_WORDS.languageOf(texts, countMin);
}

/**
 * The stem of an English or Arabic word. Other languages change little,
 * and alike on both sides.
 */
export function stem(word: string): string {
  if (ASCII.test(word)) return stemmer(word);
  if (!ARABIC.test(word)) return word;
  return word.replace(ARABIC_BEGINNING, "").replace(ARABIC_ENDING, "");
}

/** The term of a word with its accents, if it has any. */
export function accented({ text, written }: Word): string | undefined {
  const lower = written.toLowerCase().normalize();
  return lower === text ? undefined : MARK + lower;
}

function readRun(run: string): Run {
  const known = RUNS.get(run);
  if (known !== undefined) return known;
  const parts = CAMEL_CASE.test(run) ? run.split(CAMEL_PARTS) : [run];
  const whole = foldWord(run);
  const isCompound = parts.length > 1;
  const words = parts
    .map((written) => newWord(foldWord(written), written))
    .filter(({ text }) => text !== "")
    .map((word) => (isCompound ? { ...word, whole } : word));
  if (isCompound) words.push({ ...newWord(whole, run), isWhole: true });
  const isLink = !isCompound && (LATIN.test(run) || DIGITS.test(run));
  const read = { words, link: isLink ? whole : undefined };
  if (RUNS.size === RUNS_MAX) RUNS.clear();
  RUNS.set(run, read);
  return read;
}

function newWord(text: string, written: string): Word {
  const term = stem(text);
  return {
    text,
    written,
    term,
    isUnit: false,
    isLatin: LATIN.test(text),
    prefix: prefixOf(text),
    parts: partsOf(term),
    whole: undefined,
    isWhole: false,
  };
}

function unit(text: string): Word {
  return {
    text,
    written: text,
    term: text,
    isUnit: true,
    isLatin: false,
    prefix: undefined,
    parts: NO_PARTS,
    whole: undefined,
    isWhole: false,
  };
}

const NO_PARTS: readonly string[] = [];

function prefixOf(word: string): string | undefined {
  if (HANGUL.test(word) || ARABIC.test(word) || HAS_DIGIT.test(word)) return undefined;
  if (CYRILLIC.test(word)) {
    const stem = word.replace(CYRILLIC_ENDING, "");
    return stem.length < PREFIX_LENGTH_MIN ? undefined : MARK + stem.slice(0, PREFIX_LENGTH);
  }
  const rest = HEBREW.test(word) ? word.replace(HEBREW_BEGINNING, "") : word;
  const isShort = word.length < PREFIX_LENGTH;
  return isShort && rest === word ? undefined : MARK + rest.slice(0, PREFIX_LENGTH);
}

/**
 * Particles follow Korean words: their pairs of syllables stay. So do
 * most threes of an Arabic word when it changes within.
 */
function partsOf(term: string): readonly string[] {
  if (HANGUL.test(term)) return term.length < 2 ? NO_PARTS : marked(neighbours(term, 2));
  return ARABIC.test(term) ? marked(neighbours(term, 3)) : NO_PARTS;
}

function marked(parts: readonly string[]): string[] {
  return parts.map((part) => MARK + part);
}

/** Characters, and each with the next one. */
function pairs(run: string): string[] {
  const found: string[] = [];
  let previous = "";
  for (const character of run) {
    if (previous !== "") found.push(previous + character);
    found.push(character);
    previous = character;
  }
  return found;
}

/** All runs of `count` neighbours, or the whole run if it is shorter. */
function neighbours(run: string, count: number): string[] {
  const characters = [...run];
  if (characters.length <= count) return [run];
  return characters.slice(count - 1).map((_, i) => characters.slice(i, i + count).join(""));
}
