// The analyzer: the terms of documents and queries. Words in scripts
// with spaces; single characters and pairs of neighbours in Chinese and
// Japanese; runs of three letters in the other scripts without spaces.
// Words that change their endings have a further term, which is marked.
// The analyzer is our own, so that a new version of SQLite or ICU cannot
// make queries differ from the index. Pure.

import { stemmer } from "stemmer";
import { clauses, isLong, withoutCourtesy } from "./courtesy.ts";
import { foldText, foldWord } from "./folding.ts";
import { type Language, StopWords } from "./stop-words.ts";

/**
 * Raise it with every change of terms or passages: an index of another
 * version is built again.
 */
export const ANALYZER_VERSION = 4;

/**
 * Further terms of a query are dropped. Each costs a row of the hundred
 * that a search may read, and changes little.
 */
export const QUERY_TERMS_MAX = 50;

/** A query is cut here, as an ask is. */
const QUERY_LENGTH_MAX = 8_000;

const THREES = String.raw`\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`;
const PAIRS = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々〆`;

/** Scripts without spaces between words. */
export const UNSPACED = PAIRS + THREES;

const PAIRED_CHARACTER = new RegExp(`[${PAIRS}]`, "v");
const UNSPACED_CHARACTER = new RegExp(`[${UNSPACED}]`, "v");

// A version (group 1), or a run. A longer run than 64 characters is no
// word: it counts as several.
const RUN = new RegExp(
  String.raw`(?<![\p{L}\p{M}\p{N}.])[vV]?(\d{1,9}(?:\.\d{1,9}){1,4})(?![\p{L}\p{M}\p{N}])|[${PAIRS}]+|[${THREES}]+|[[\p{L}\p{M}\p{N}]--[${UNSPACED}]]{1,64}`,
  "gv",
);

// Names of languages and platforms that differ from others by marks.
const LETTER_WITH_MARK = /(?<![\p{L}\p{M}\p{N}])([a-zA-Z])(\+\+|#)(?![\p{L}\p{M}\p{N}])/gu;
const DOT_NET = /(?<=[\s("'`,/]|^|\basp)\.net(?![\p{L}\p{M}\p{N}])/giu;

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
/** Their words begin with articles and prepositions. */
const PREFIXING = /^[\p{Script=Arabic}\p{Script=Hebrew}]/u;
const VIETNAMESE = /[ơưăđạảấầẩẫậắằẳẵặẹẻẽếềểễệỉĩịọỏốồổỗộớờởỡợụủũứừửữựỳỵỷỹ]/i;

// A letter, so that FTS5 keeps it in a term, but of phonetics: no text
// has it before such a term.
const MARK = "ː";
const PREFIX_LENGTH = 5;

/** Words of a language that a text has to have to count as a text in it. */
const SHOWN_MIN = { text: 3, query: 2 };

const STOP_WORDS = new StopWords(foldWord);

/** A word of a text, or a unit of a script without spaces. */
interface Word {
  /** Folded. */
  readonly text: string;
  readonly isUnit: boolean;
  /** As it was written. */
  readonly written: string;
  /** The compound that it is a part of. */
  readonly whole?: string;
  /** The word is put together from the parts before it. */
  readonly isWhole?: true;
}

/** A word of a query. */
export interface QueryWord {
  /** As it was typed, but folded: for spelling. */
  readonly text: string;
  readonly term: string;
  /** Terms that hold the same word in another form. */
  readonly forms: readonly string[];
  /** Terms that each hold a part of the word. */
  readonly parts: readonly string[];
  /** The term of the word with its accents, if it was typed with them. */
  readonly exact: string | undefined;
  /** It and the next word as one, if they may be written so. */
  readonly joined: { readonly whole: string; readonly next: string } | undefined;
  /** How many terms it is worth. */
  readonly weight: number;
  /** Whether it is written as names are. */
  readonly isName: boolean;
  /** The number of its clause, if that is a short one that asks nothing. */
  readonly aside: number | undefined;
}

/** The terms in order, with repeats. Letters and digits only. */
export function terms(text: string): string[] {
  return termsOfAll([text]).flat();
}

/** The terms of texts that belong together, and so have one language. */
export function termsOfAll(texts: readonly string[]): string[][] {
  const read = texts.map((text) => wordsOf(foldText(text)));
  const language = shownLanguage(read.flat());
  const isForeign = language !== undefined && language !== "en";
  const isAccented = texts.some((text) => VIETNAMESE.test(text));
  return read.map((words) => {
    const found: string[] = [];
    for (const word of words) {
      found.push(termOf(word));
      if (word.isWhole || word.isUnit) continue;
      found.push(...partsOf(word.text));
      const prefix = prefixOf(word.text);
      if (prefix !== undefined && (isForeign || !LATIN.test(word.text))) found.push(prefix);
      const accented = isAccented ? accentedOf(word) : undefined;
      if (accented !== undefined) found.push(accented);
    }
    return found;
  });
}

/** The terms of a query, without stop words unless there are no others. */
export function queryTerms(query: string): string[] {
  const all = queryWords(query).flatMap(({ term, forms, parts }) => [term, ...forms, ...parts]);
  return all.slice(0, QUERY_TERMS_MAX);
}

/** The words of a query, without stop words unless there are no others. */
export function queryWords(query: string): QueryWord[] {
  const text = foldText(query).slice(0, QUERY_LENGTH_MAX);
  const language = shownLanguage(wordsOf(text), SHOWN_MIN.query);
  const asked = tellingWords(withoutCourtesy(text), language);
  return asked.length > 0 ? asked : tellingWords(text, language, true);
}

/** An FTS5 query for any of the terms. Quoted, none is an operator. */
export function matchQuery(terms: readonly string[]): string {
  return terms.map((term) => `"${term}"`).join(" OR ");
}

/** The words that tell what a text asks, the most telling clause first. */
function tellingWords(
  text: string,
  language: Language | undefined,
  withStopWords = false,
): QueryWord[] {
  const all = clauses(text).map((clause) => ({ ...clause, words: wordsOf(clause.text) }));
  const everything = all.flatMap(({ words }) => words);
  const isEnglish = language === "en";
  const isAccented = VIETNAMESE.test(text);
  const hasUnits = everything.some(({ text }) => PAIRED_CHARACTER.test(text));
  const hasNames = namesAreMarked(everything) && language !== "de";
  const isTelling = ({ text }: Word) => withStopWords || !STOP_WORDS.has(text, language);

  const read = all.map(({ asks, words }, number) => {
    const telling = words.filter(isTelling);
    const isAside = !asks && all.length > 1 && words.length <= ASIDE_LENGTH_MAX;
    const found = words.flatMap((word, i): QueryWord[] => {
      if (!isTelling(word) || word.isWhole) return [];
      const { text, isUnit, written, whole } = word;
      const forms: string[] = [];
      if (whole !== undefined) forms.push(stem(whole));
      const prefix = isUnit ? undefined : prefixOf(text);
      if (prefix !== undefined && !(isEnglish && LATIN.test(text))) forms.push(prefix);
      const parts = isUnit ? [] : partsOf(text);
      return [
        {
          ...{ text, term: termOf(word), forms, parts },
          exact: isAccented && !isUnit ? accentedOf(word) : undefined,
          joined: joinedWith(word, words[i + 1]),
          weight: hasUnits && !isUnit ? WORD_WEIGHT : 1,
          isName: hasNames && i > 0 && whole === undefined && /^\p{Lu}/u.test(written),
          aside: isAside ? number : undefined,
        },
      ];
    });
    return { asks, found, isTelling: telling.length >= TELLING_MIN };
  });

  // The question of a long text may stand anywhere in it.
  let ordered = read;
  if (isLong(text)) {
    const asking = read.filter(({ asks }) => asks);
    const last = read.at(-1);
    const rest = read.filter(({ asks }) => !asks);
    if (asking.some(({ isTelling }) => isTelling)) ordered = asking;
    else if (last !== undefined) ordered = [...asking, last, ...rest];
  }
  const byTerm = new Map<string, QueryWord>();
  for (const word of ordered.flatMap(({ found }) => found)) {
    if (byTerm.size === QUERY_TERMS_MAX) break;
    if (!byTerm.has(word.term)) byTerm.set(word.term, word);
  }
  return [...byTerm.values()];
}

/** A word of two Chinese characters has three terms. */
const WORD_WEIGHT = 3;
/** Words in an aside, such as a greeting. */
const ASIDE_LENGTH_MAX = 4;
/** Words that a question has at least if it needs no context. */
const TELLING_MIN = 3;

/** In most titles and shouts, capitals mark no names. */
function namesAreMarked(words: readonly Word[]): boolean {
  const spaced = words.filter(({ isUnit, isWhole }) => !isUnit && !isWhole);
  const capitals = spaced.filter(({ written }) => /^\p{Lu}/u.test(written)).length;
  return capitals <= 0.5 * spaced.length;
}

function wordsOf(folded: string): Word[] {
  const text = folded
    .replace(LETTER_WITH_MARK, (_, letter, mark) => letter + (mark === "#" ? "sharp" : "pp"))
    .replace(DOT_NET, " dotnet");
  const found: Word[] = [];
  /** The words since the last that no hyphen followed. */
  let chain: string[] = [];
  let chainStart = 0;
  let end = -1;
  const closeChain = () => {
    const joined = chain.join("");
    if (chain.length > 1 && chain.length <= COMPOUND_PARTS_MAX && !DIGITS.test(joined)) {
      for (let i = chainStart; i < found.length; i++) {
        found[i] = { ...(found[i] as Word), whole: joined };
      }
      found.push({ text: joined, isUnit: false, written: joined, isWhole: true });
    }
    chain = [];
  };
  for (const { 0: run, 1: version, index } of text.matchAll(RUN)) {
    const isLinked = end !== -1 && index === end + 1 && HYPHEN.test(text.charAt(end));
    if (!isLinked) closeChain();
    end = index + run.length;
    if (version !== undefined) {
      closeChain();
      const numbers = version.split(".");
      for (let i = 1; i <= numbers.length; i++) {
        found.push(unit(numbers.slice(0, i).join(MARK)));
      }
    } else if (UNSPACED_CHARACTER.test(run)) {
      closeChain();
      found.push(...(PAIRED_CHARACTER.test(run) ? pairs(run) : threes(run)).map(unit));
    } else {
      const parts = CAMEL_CASE.test(run) ? run.split(CAMEL_PARTS) : [run];
      const whole = parts.length > 1 ? foldWord(run) : undefined;
      if (chain.length === 0) chainStart = found.length;
      for (const written of parts) {
        const folded = foldWord(written);
        if (folded === "") continue;
        found.push({ text: folded, isUnit: false, written, ...(whole && { whole }) });
      }
      if (whole !== undefined) {
        closeChain();
        found.push({ text: whole, isUnit: false, written: run, isWhole: true });
      } else if (LATIN.test(run) || DIGITS.test(run)) chain.push(foldWord(run));
      else closeChain();
    }
  }
  closeChain();
  return found;
}

function unit(text: string): Word {
  return { text, isUnit: true, written: text };
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

/** Each three neighbours, or the whole run if it is shorter. */
function threes(run: string): string[] {
  return neighbours(run, 3);
}

function neighbours(run: string, count: number): string[] {
  const characters = [...run];
  if (characters.length <= count) return [run];
  return characters.slice(count - 1).map((_, i) => characters.slice(i, i + count).join(""));
}

function termOf({ text, isUnit }: Word): string {
  return isUnit ? text : stem(text);
}

/**
 * The stem of an English word. Other languages change little, and alike
 * on both sides.
 */
export function stem(word: string): string {
  const known = STEMS.get(word);
  if (known !== undefined) return known;
  const found = ASCII.test(word) ? stemmer(word) : word;
  if (STEMS.size === STEMS_MAX) STEMS.clear();
  STEMS.set(word, found);
  return found;
}

/** Stemming takes longer than all else. */
const STEMS = new Map<string, string>();
const STEMS_MAX = 10_000;

/** The beginning of a word, which keeps when its ending changes. */
function prefixOf(word: string): string | undefined {
  if (word.length < PREFIX_LENGTH || HANGUL.test(word) || PREFIXING.test(word)) return undefined;
  return HAS_DIGIT.test(word) ? undefined : MARK + word.slice(0, PREFIX_LENGTH);
}

/** Particles follow Korean words, and Arabic ones begin with articles. */
function partsOf(word: string): string[] {
  const length = HANGUL.test(word) ? 2 : PREFIXING.test(word) ? 3 : 0;
  if (length === 0 || word.length < length) return [];
  return neighbours(word, length).map((part) => MARK + part);
}

const JOINED_LENGTH_MIN = 5;

/** A word of Vietnamese as it is written: few type it without accents. */
function accentedOf({ text, written }: Word): string | undefined {
  const lower = written.toLowerCase().normalize();
  return lower === text ? undefined : MARK + lower;
}

/** Two words as one, such as "web socket". */
function joinedWith(word: Word, next: Word | undefined): QueryWord["joined"] {
  if (next === undefined || word.isUnit || next.isUnit || next.isWhole) return undefined;
  const joined = word.text + next.text;
  if (!ASCII.test(joined) || joined.length < JOINED_LENGTH_MIN) return undefined;
  return { whole: stem(joined), next: termOf(next) };
}

function* textsOf(words: readonly Word[]): Generator<string> {
  for (const { text, isUnit } of words) if (!isUnit) yield text;
}

function shownLanguage(words: readonly Word[], countMin = SHOWN_MIN.text) {
  return STOP_WORDS.languageOf(textsOf(words), countMin);
}
