// Which questions belong together: those that share a word, or a pair of words,
// that other questions rarely have. The words that explain the most questions
// come first, and take their questions with them. Where those ask several things
// again and again, each thing is a group. Where they have little else in common,
// as with a word that every sentence of a language has, they are no group. The
// work is bounded. Pure; equal questions give equal groups.

import { queryWords, UNSPACED } from "./analyzer.ts";
import { foldText } from "./folding.ts";
import { type TypedQuestion, UsualWords } from "./usual-words.ts";
import { words as allWords } from "./words.ts";

/** A word that tells what a question asks. */
export interface TellingWord {
  /** As it was typed, but folded. */
  readonly text: string;
  /** Its terms: questions share the word if they share one of them. */
  readonly terms: readonly string[];
}

/** A question as its words. */
export interface GroupedQuestion {
  /** All its words as they were typed, but folded. */
  readonly typed: readonly string[];
  readonly words: readonly TellingWord[];
  /** How often it was asked. */
  readonly times: number;
}

export interface QuestionGroup {
  /** The words that its questions share: those that made it come first. */
  readonly common: readonly string[];
  /** The places of its questions in the list. */
  readonly members: readonly number[];
}

/** Further words of a question are not looked at. */
const WORDS_MAX = 24;
/** Small words too. */
const TYPED_MAX = 50;
/** Pairs of further words are not looked at. */
const PAIRED_MAX = 10;
/** The candidates are put in order again after this many looks. */
const ORDERED_EACH = 20;
/** No more groups are made. */
const LOOKED_AT_MAX = 200;
/** A group is what was asked this often. */
const TIMES_MIN = 2;
/**
 * Of how often questions and others have a word, the part of the questions. At
 * 0.8, they have it four times as often.
 */
const PART_MIN = 0.8;
/** A word is common to a group if this part of its questions have it. */
const COMMON_MIN = 0.6;
const COMMON_WORDS_MAX = 4;
/** From this many on, a question needs two of them. */
const COMMON_WORDS_MIN = 3;
/** Questions ask several things if each is this part of what they ask. */
const THING_MIN = 0.12;
const THING_MAX = 0.7;
const THING_TIMES_MIN = 4;
/** Together they are this part. */
const THINGS_MIN = 0.7;
/** In a group, this part of all words is common. */
const SUBJECT_MIN = 0.3;

/** Pairs of numbers below it are one safe integer above it. */
const PAIR = 2 ** 26;

const PART = new RegExp(`^[${UNSPACED}]{2,}$`, "v");
const SINGLE = new RegExp(`^[${UNSPACED}]$`, "v");

/** A single character of Chinese or Japanese tells nothing beside pairs. */
export function tellingWords(question: string): TellingWord[] {
  const all = queryWords(question).map(({ text, term, forms }) => ({
    text,
    terms: [term, ...forms],
  }));
  const longer = all.filter(({ text }) => !SINGLE.test(text));
  return (longer.length > 0 ? longer : all).slice(0, WORDS_MAX);
}

/** All words of a question as they were typed, but folded. */
export function typedWords(question: string): string[] {
  return allWords(foldText(question))
    .slice(0, TYPED_MAX)
    .map(({ text }) => text);
}

/**
 * Puts questions into groups, the largest first. Questions in no group share
 * nothing with others, or only what `others` have too.
 * @param others Questions of another kind, for comparison.
 */
export function questionGroups(
  questions: readonly GroupedQuestion[],
  others: readonly GroupedQuestion[],
  groupsMax: number,
): QuestionGroup[] {
  const spelled = spelledAsUsual([...questions, ...others]);
  const shared = new SharedWords(
    spelled.slice(0, questions.length),
    spelled.slice(questions.length),
  );
  const groups: { readonly group: QuestionGroup; readonly asked: number }[] = [];
  // Later ones may be larger.
  while (groups.length < LOOKED_AT_MAX) {
    const group = shared.next();
    if (group === undefined) break;
    groups.push({ group, asked: timesOf(group.members.flatMap((i) => questions[i] ?? [])) });
  }
  return groups
    .sort((a, b) => b.asked - a.asked)
    .slice(0, groupsMax)
    .map(({ group }) => group);
}

/**
 * With the terms of the words that were meant, and without slips of small ones.
 * Otherwise users who misspell the same word of different questions would be a
 * group.
 */
function spelledAsUsual(questions: readonly GroupedQuestion[]): GroupedQuestion[] {
  const typed = questions.map(({ typed, words, times }) => {
    return { typed, telling: words.map(({ text }) => text), times };
  });
  const usual = new UsualWords(typed);
  const known = new Map(questions.flatMap(({ words }) => words.map((word) => [word.text, word])));
  return questions.map((question, i) => ({
    ...question,
    words: question.words.flatMap((word) => {
      const meant = usual.of(word.text, typed[i] as TypedQuestion);
      if (meant === undefined) return [word];
      if (usual.isSmall(meant)) return [];
      return [{ text: word.text, terms: known.get(meant)?.terms ?? word.terms }];
    }),
  }));
}

/** A word, or a pair of words, that may make a group. */
interface Candidate {
  readonly key: number;
  /** The questions that have it. */
  readonly members: number[];
  /** How often those that are in no group were asked. */
  times: number;
  /** How often others that have it were asked. */
  otherTimes: number;
  /** Its score some time ago: by now it may be lower. */
  most: number;
}

/** A group, with the numbers of words. */
interface Made {
  readonly made: readonly number[];
  readonly members: readonly number[];
  readonly common: readonly number[];
}

class SharedWords {
  readonly #questions: readonly GroupedQuestion[];
  readonly #numbers = new Map<string, number>();
  /** Numbers of terms that are only other forms of a word. */
  readonly #forms = new Set<number>();
  readonly #candidates = new Map<number, Candidate>();
  /** The highest scores first. */
  #order: readonly Candidate[] = [];
  #looked = 0;
  /** What each question has, as far as it is a candidate. */
  readonly #keys: readonly (readonly number[])[];
  readonly #isTaken: boolean[];
  readonly #asked: number;
  readonly #othersAsked: number;

  constructor(questions: readonly GroupedQuestion[], others: readonly GroupedQuestion[]) {
    this.#questions = questions;
    this.#isTaken = questions.map(() => false);
    this.#asked = timesOf(questions);
    this.#othersAsked = timesOf(others);
    const keys = questions.map(({ words }) => this.#keysOf(words, true));
    const times = new Map<number, number>();
    for (const [i, own] of keys.entries()) {
      const asked = questions[i]?.times ?? 0;
      for (const key of own) times.set(key, (times.get(key) ?? 0) + asked);
    }
    for (const [key, asked] of times) {
      if (asked < TIMES_MIN) continue;
      this.#candidates.set(key, { key, members: [], times: asked, otherTimes: 0, most: 0 });
    }
    this.#keys = keys.map((own) => own.filter((key) => this.#candidates.has(key)));
    for (const [i, own] of this.#keys.entries()) {
      for (const key of own) this.#candidates.get(key)?.members.push(i);
    }
    for (const other of others) {
      for (const key of this.#keysOf(other.words, false)) {
        const candidate = this.#candidates.get(key);
        if (candidate !== undefined) candidate.otherTimes += other.times;
      }
    }
    this.#order = this.#inOrder([...this.#candidates.values()]);
  }

  /** The largest group of what is in none; undefined if there is no more. */
  next(): QuestionGroup | undefined {
    for (;;) {
      const best = this.#best();
      if (best === undefined) return undefined;
      const { made, members: all, common } = this.#narrowed(best);
      const words = new Set(common.filter((number) => !this.#forms.has(number)));
      const members = all.filter((i) => this.#isAbout(i, words));
      if (this.#timesOf(members) < TIMES_MIN || !this.#isOneSubject(members, words)) {
        // Its questions may still be in groups of other words.
        best.times = 0;
        continue;
      }
      for (const i of members) this.#take(i);
      return { common: this.#textsOf({ made, members, common }), members };
    }
  }

  #inOrder(candidates: readonly Candidate[]): Candidate[] {
    for (const candidate of candidates) candidate.most = this.#score(candidate);
    return candidates
      .filter(({ most }) => most > 0)
      .sort((a, b) => b.most - a.most || a.key - b.key);
  }

  #best(): Candidate | undefined {
    this.#looked += 1;
    if (this.#looked % ORDERED_EACH === 0) this.#order = this.#inOrder(this.#order);
    let best: Candidate | undefined;
    let bestScore = 0;
    // The first of equal ones: single words come before pairs.
    for (const candidate of this.#order) {
      if (candidate.most <= bestScore) break;
      const score = this.#score(candidate);
      if (score <= bestScore) continue;
      bestScore = score;
      best = candidate;
    }
    return best;
  }

  /** 0 for what makes no group. */
  #score({ times, otherTimes }: Candidate): number {
    if (times < TIMES_MIN) return 0;
    const part = this.#part(times, otherTimes);
    return part < PART_MIN ? 0 : times * part ** 3;
  }

  /** Of how often questions and others have it, the part of the questions. */
  #part(times: number, otherTimes: number): number {
    const rate = times / this.#asked;
    const otherRate = this.#othersAsked === 0 ? 0 : otherTimes / this.#othersAsked;
    return rate / (rate + otherRate);
  }

  /**
   * Where questions share a word, but ask several things again and again, only
   * those that ask the first of these things. The others get a group later.
   */
  #narrowed({ key, members: all }: Candidate): Made {
    const made = key < PAIR ? [key] : [Math.floor(key / PAIR) - 1, key % PAIR];
    let members = all.filter((i) => !this.#isTaken[i]);
    for (;;) {
      const asked = this.#timesOf(members);
      const times = this.#wordTimes(members);
      const common = [...times]
        .filter(([, own]) => own >= COMMON_MIN * asked)
        .sort(([one, a], [other, b]) => b - a || one - other)
        .map(([number]) => number);
      const inner = this.#firstThing(members, times, asked);
      if (inner === undefined) return { made, members, common };
      made.push(inner);
      members = members.filter((i) => this.#keys[i]?.includes(inner));
    }
  }

  /** The word of the first of several things that questions ask. */
  #firstThing(
    members: readonly number[],
    times: ReadonlyMap<number, number>,
    asked: number,
  ): number | undefined {
    const min = Math.max(THING_TIMES_MIN, THING_MIN * asked);
    const words = [...times]
      .filter(([number, own]) => {
        const { times: all = 0, otherTimes = 0 } = this.#candidates.get(number) ?? {};
        const isTelling = this.#part(Math.max(all, own), otherTimes) >= PART_MIN;
        const isThing = own >= min && own <= THING_MAX * asked;
        return isTelling && isThing && !this.#forms.has(number);
      })
      .sort(([one, a], [other, b]) => b - a || one - other)
      .map(([number]) => number);
    let rest = members;
    let things = 0;
    for (const word of words) {
      const others = rest.filter((i) => !this.#keys[i]?.includes(word));
      if (this.#timesOf(rest) - this.#timesOf(others) < min) continue;
      things += 1;
      rest = others;
    }
    const isSeveral = things > 1 && this.#timesOf(rest) <= (1 - THINGS_MIN) * asked;
    return isSeveral ? words[0] : undefined;
  }

  /** Long questions with one word in common may have nothing to do with each other. */
  #isOneSubject(members: readonly number[], common: ReadonlySet<number>): boolean {
    let [all, own] = [0, 0];
    for (const i of members) {
      const { times = 0, words = [] } = this.#questions[i] ?? {};
      all += times * words.length;
      own += times * this.#countOf(i, common);
    }
    return own >= SUBJECT_MIN * all;
  }

  /** Where the others share several words, one is too little. */
  #isAbout(member: number, common: ReadonlySet<number>): boolean {
    const own = this.#countOf(member, common);
    const { words = [] } = this.#questions[member] ?? {};
    return common.size < COMMON_WORDS_MIN || own > 1 || own >= words.length / 2;
  }

  #countOf(member: number, common: ReadonlySet<number>): number {
    return this.#keys[member]?.reduce((sum, key) => sum + (common.has(key) ? 1 : 0), 0) ?? 0;
  }

  #take(member: number): void {
    this.#isTaken[member] = true;
    const asked = this.#questions[member]?.times ?? 0;
    for (const key of this.#keys[member] ?? []) {
      const candidate = this.#candidates.get(key);
      if (candidate !== undefined) candidate.times -= asked;
    }
  }

  #timesOf(members: readonly number[]): number {
    return members.reduce((sum, i) => sum + (this.#questions[i]?.times ?? 0), 0);
  }

  /** How often questions that have each word were asked. */
  #wordTimes(members: readonly number[]): Map<number, number> {
    const times = new Map<number, number>();
    for (const i of members) {
      const own = this.#questions[i]?.times ?? 0;
      for (const key of this.#keys[i] ?? []) {
        if (key < PAIR) times.set(key, (times.get(key) ?? 0) + own);
      }
    }
    return times;
  }

  /** First what made the group, then words that most of it have. */
  #textsOf({ made, members, common }: Made): string[] {
    const forms = new Map<number, Map<string, number>>();
    for (const i of members) {
      const { times = 0, words = [] } = this.#questions[i] ?? {};
      for (const { text, terms } of words) {
        for (const term of terms) {
          const own = mapIn(forms, this.#numbers.get(term) ?? -1);
          own.set(text, (own.get(text) ?? 0) + times);
        }
      }
    }
    // In the form that was typed most: others may be typing errors.
    const texts = [...made, ...common].flatMap((number) => {
      const [most] = [...(forms.get(number) ?? [])].sort(([, a], [, b]) => b - a);
      return most === undefined ? [] : [most[0]];
    });
    const [first] = members.toSorted(
      (a, b) => (this.#questions[b]?.times ?? 0) - (this.#questions[a]?.times ?? 0),
    );
    const { words = [] } = this.#questions[first ?? -1] ?? {};
    return joined([...new Set(texts)], words).slice(0, COMMON_WORDS_MAX);
  }

  /** The numbers of its words, then of its pairs, each once. */
  #keysOf(words: readonly TellingWord[], isNew: boolean): number[] {
    const keys = new Set<number>();
    for (const { terms } of words) {
      for (const [i, term] of terms.entries()) {
        const isKnown = this.#numbers.has(term);
        const number = this.#numberOf(term, isNew);
        if (number === undefined) continue;
        keys.add(number);
        if (i === 0) this.#forms.delete(number);
        else if (!isKnown) this.#forms.add(number);
      }
    }
    const paired = words.slice(0, PAIRED_MAX).flatMap(({ terms: [term = ""] }) => {
      const number = this.#numberOf(term, isNew);
      return number === undefined ? [] : [number];
    });
    for (const [i, one] of paired.entries()) {
      for (const other of paired.slice(i + 1)) {
        if (one !== other) keys.add((Math.min(one, other) + 1) * PAIR + Math.max(one, other));
      }
    }
    return [...keys];
  }

  #numberOf(term: string, isNew: boolean): number | undefined {
    const known = this.#numbers.get(term);
    if (known !== undefined || !isNew) return known;
    const number = this.#numbers.size;
    this.#numbers.set(term, number);
    return number;
  }
}

function timesOf(questions: readonly GroupedQuestion[]): number {
  return questions.reduce((sum, { times }) => sum + times, 0);
}

/**
 * Parts of words, of languages without spaces, as the longer words that they
 * are in a question: 皮划 and 划艇 are 皮划艇. The longest come first.
 */
function joined(texts: readonly string[], words: readonly TellingWord[]): string[] {
  const parts = new Set(texts.filter((text) => PART.test(text)));
  const longer: string[] = [];
  let before = "";
  for (const { text } of words) {
    const isNext = before !== "" && text.startsWith(before.slice(1));
    if (!parts.has(text)) before = "";
    else if (isNext) longer.push(`${longer.pop()}${text.slice(-1)}`);
    else longer.push(text);
    if (parts.has(text)) before = text;
  }
  if (longer.length === 0) return [...texts];
  const others = texts.filter((text) => !parts.has(text));
  return [...others, ...longer.sort((a, b) => b.length - a.length)];
}

function mapIn(maps: Map<number, Map<string, number>>, key: number): Map<string, number> {
  const own = maps.get(key) ?? new Map<string, number>();
  maps.set(key, own);
  return own;
}
