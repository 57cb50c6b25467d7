// The analyzer: the terms of documents and queries.
// words.ts divides a text. Words that change their endings
// or beginnings have further terms, which are marked.
// The analyzer is our own, so that a new version of SQLite
// or ICU cannot make queries differ from the index. Pure.

import { clauses, isLong } from "./clauses.ts";
import { withoutAsking, withoutCourtesy } from "./courtesy.ts";
import { foldText } from "./folding.ts";
import { remembered } from "./remembered.ts";
import type { Language } from "./stop-words.ts";
import {
  accented,
  isPaired,
  isStopWord,
  languageOf,
  stem,
  UNSPACED,
  type Word,
  words,
} from "./words.ts";

export { UNSPACED } from "./words.ts";

/**
 * Raise it with every change of terms or passages: an index of another
 * version is built again.
 */
export const ANALYZER_VERSION = 4;

/**
 * Further terms of a query are dropped. Each costs a row of
 * the hundred that a search may read, and changes little.
 */
export const QUERY_TERMS_MAX = 50;

/** A query is cut here: an ask has at most half of it. */
const QUERY_LENGTH_MAX = 8_000;
/**
 * Of queries that are kept with their words, in UTF-16 units: about 2 MB. One
 * ask needs those of its query three times.
 */
const REMEMBERED_MAX = 50_000;

const VIETNAMESE = /[ơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉĩịọỏốồổỗộớờởỡợụủũứừửữựỳỵỷỹ]/i;

/** The function words that show the language of a text. */
const SHOWN_MIN = { text: 3, query: 2 };
/** Words in an aside, such as a greeting. */
const ASIDE_LENGTH_MAX = 4;
/** Words that a question has at least if it needs no context. */
const TELLING_MIN = 2;
/** Words around the question of a long text weigh less. */
const CONTEXT_WEIGHT = 0.25;
/** A word of two Chinese characters has three terms. */
const WORD_WEIGHT = 3;
const UNIT = new RegExp(`^[${UNSPACED}]`, "v");
const ASCII = /^[a-z0-9]+$/;
const NUMBER = /^\d{1,2}$/;
const HAS_LETTER = /\p{L}/u;
/** Two short words are not taken for one. */
const JOINED_LENGTH_MIN = 5;

/** A word of a query. */
export interface QueryWord {
  /** As it was typed, but folded: for spelling. */
  readonly text: string;
  readonly term: string;
  /** Terms of the word in another form. */
  readonly forms: readonly string[];
  /** Terms that each hold a part of the word. */
  readonly parts: readonly string[];
  /** Its term with accents, if it was typed with them. */
  readonly exact: string | undefined;
  /** It and the next word, if both may be written as one. */
  readonly joined: { readonly whole: string; readonly next: string } | undefined;
  /** The term of the name before it, if it is a number as in "Node 20". */
  readonly name: string | undefined;
  /** How many terms it is worth. */
  readonly weight: number;
  /** Whether it is written as names are. */
  readonly isName: boolean;
  /** The number of its clause, if that is short and asks nothing. */
  readonly aside: number | undefined;
}

/** The terms in order, with repeats. Letters and digits only. */
export function terms(text: string): string[] {
  return termsOfAll([text])[0] ?? [];
}

/** The terms of texts that have one language. */
export function termsOfAll(texts: readonly string[]): string[][] {
  const read = texts.map((text) => words(foldText(text)));
  const language = languageOf(read, SHOWN_MIN.text);
  const isForeign = language !== undefined && language !== "en";
  const isAccented = texts.some((text) => VIETNAMESE.test(text));
  return read.map((words) => {
    const found: string[] = [];
    for (const word of words) {
      found.push(word.term);
      if (word.isWhole || word.isUnit || (word.isLatin && !isForeign && !isAccented)) continue;
      if (isStopWord(word, language)) continue;
      for (const part of word.parts) found.push(part);
      if (word.prefix !== undefined && (isForeign || !word.isLatin)) found.push(word.prefix);
      const exact = isAccented ? accented(word) : undefined;
      if (exact !== undefined) found.push(exact);
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
export const queryWords = remembered((query): readonly QueryWord[] => {
  const { text, plain, language } = readQuery(query);
  const asked = tellingWords(withoutAsking(plain), language);
  return asked.length > 0 ? asked : tellingWords(text, language, true);
}, REMEMBERED_MAX);

/** A query, folded. */
interface ReadQuery {
  readonly text: string;
  /** Without courtesy. */
  readonly plain: string;
  readonly language: Language | undefined;
}

const readQuery = remembered((query): ReadQuery => {
  const text = foldText(query).slice(0, QUERY_LENGTH_MAX);
  const language = languageOf([words(text)], SHOWN_MIN.query);
  return { text, plain: withoutCourtesy(text), language };
}, REMEMBERED_MAX);

/**
 * The language of a query in Latin letters, if at least `countMin` function
 * words show it.
 */
export function queryLanguage(
  query: string,
  countMin: number = SHOWN_MIN.query,
): Language | undefined {
  return languageOf([words(foldText(query).slice(0, QUERY_LENGTH_MAX))], countMin);
}

/** How many words tell what a text asks. Three units count as a word. */
export function tellingCount(text: string): number {
  const { plain, language } = readQuery(text);
  const telling = tellingWords(plain, language);
  const units = telling.filter(({ text }) => UNIT.test(text)).length;
  return telling.length - units + units / WORD_WEIGHT;
}

/** An FTS5 query for any of the terms. Quoted, none is an operator. */
export function matchQuery(terms: readonly string[]): string {
  return terms.map((term) => `"${term}"`).join(" OR ");
}

/** The words that tell what a text asks. */
function tellingWords(
  text: string,
  language: Language | undefined,
  withStopWords = false,
): QueryWord[] {
  const all = clauses(text).map((clause) => ({ ...clause, words: words(clause.text) }));
  const everything = all.flatMap(({ words }) => words);
  const isEnglish = language === "en";
  const isAccented = VIETNAMESE.test(text);
  const hasUnits = everything.some(({ text }) => isPaired(text));
  const hasNames = namesAreMarked(everything) && language !== "de";
  // A single word shows too little for anything else.
  const hint = language ?? languageOf([everything], 1);
  const isTelling = (word: Word) =>
    withStopWords || !(isStopWord(word, language) || isStopWord(word, hint));

  const read: Read[] = all.map(({ asks, words }, number) => {
    const telling = words.filter(isTelling);
    const isAside = !asks && all.length > 1 && words.length <= ASIDE_LENGTH_MAX;
    const found = words.flatMap((word, i): QueryWord[] => {
      if (!isTelling(word) || word.isWhole) return [];
      const { text, term, isUnit, isLatin, written, whole, prefix, parts } = word;
      // The letter of `e-mail` tells nothing without the rest.
      if (whole !== undefined && text.length === 1) return [];
      const forms: string[] = [];
      if (whole !== undefined) forms.push(stem(whole));
      if (prefix !== undefined && !(isEnglish && isLatin)) forms.push(prefix);
      return [
        {
          ...{ text, term, forms, parts },
          exact: isAccented && !isUnit ? accented(word) : undefined,
          joined: joinedWith(word, words[i + 1]),
          name: NUMBER.test(text) ? nameBefore(words[i - 1], isTelling) : undefined,
          weight: (hasUnits && !isUnit ? WORD_WEIGHT : 1) * (isIdentifier(word) ? 2 : 1),
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
    if (asking.some(({ isTelling }) => isTelling)) ordered = asking;
    else if (last !== undefined) ordered = [...asking, last, ...read.map(asContext)];
  }
  const byTerm = new Map<string, QueryWord>();
  for (const word of ordered.flatMap(({ found }) => found)) {
    if (byTerm.size === QUERY_TERMS_MAX) break;
    if (!byTerm.has(word.term)) byTerm.set(word.term, word);
  }
  return [...byTerm.values()];
}

/** What a clause gives to a query. */
interface Read {
  readonly asks: boolean;
  readonly found: readonly QueryWord[];
  readonly isTelling: boolean;
}

function asContext(read: Read): Read {
  const found = read.found.map((word) => ({ ...word, weight: CONTEXT_WEIGHT * word.weight }));
  return { ...read, found };
}

/** In most titles and shouts, capitals mark no names. */
function namesAreMarked(words: readonly Word[]): boolean {
  const spaced = words.filter(({ isUnit, isWhole }) => !isUnit && !isWhole);
  const capitals = spaced.filter(({ written }) => /^\p{Lu}/u.test(written)).length;
  return capitals <= 0.5 * spaced.length;
}

/** Names of code tell more than words. */
function isIdentifier({ written, whole }: Word): boolean {
  return whole === undefined && /\p{Ll}\p{Lu}/u.test(written);
}

/** The term of a word that a number may belong to. */
function nameBefore(
  word: Word | undefined,
  isTelling: (word: Word) => boolean,
): string | undefined {
  if (word === undefined || word.isUnit || word.isWhole || !isTelling(word)) return undefined;
  return HAS_LETTER.test(word.text) ? word.term : undefined;
}

/** Two words as one, such as "web socket". */
function joinedWith(word: Word, next: Word | undefined): QueryWord["joined"] {
  if (next === undefined || word.isUnit || next.isUnit || next.isWhole) return undefined;
  const joined = word.text + next.text;
  if (!ASCII.test(joined) || joined.length < JOINED_LENGTH_MIN) return undefined;
  return { whole: stem(joined), next: next.term };
}
