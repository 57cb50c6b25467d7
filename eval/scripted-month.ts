// A month of questions: who asks what, who disconnects, rates, is refunded or is
// erased. All choices follow a seed. Pure.

import type { ShownGroup } from "../src/shown.ts";
import { Random } from "../test/support/random.ts";
import { misspelt } from "./misspelt.ts";

export interface MonthDocument {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** What users ask about. */
export interface Topic {
  readonly name: string;
  /** Topics in several languages are one subject. */
  readonly subject: string;
  /** Whether the documents say nothing of it. */
  readonly isGap: boolean;
  /** The next question about it. */
  ask(random: Random): string;
}

export interface Subjects {
  readonly documents: readonly MonthDocument[];
  readonly topics: readonly Topic[];
  /** A question that only one user asks, and no document answers. */
  single(random: Random): { readonly query: string; readonly topic: Topic | undefined };
}

/** One thing that a user does. */
export interface Step {
  readonly user: number;
  readonly query: string;
  /** Disconnects as soon as the answer begins. */
  readonly leaves: boolean;
  readonly rating: "up" | "down" | undefined;
  readonly comment: string | undefined;
  /** An operator refunds it afterwards. */
  readonly isRefunded: boolean;
}

export interface Month {
  readonly steps: readonly Step[];
  /** Users that are erased at its end. */
  readonly erased: ReadonlySet<number>;
  /** Words that only an erased user has written. */
  readonly erasedWords: readonly string[];
  readonly gaps: readonly Topic[];
  /** The topics that each question is about, without spaces at its ends. */
  readonly topics: ReadonlyMap<string, ReadonlySet<Topic>>;
}

export interface MonthPlan {
  readonly users: number;
  readonly questions: number;
  /** The parts of the questions that are about gaps, and about nothing again. */
  readonly gapPart: number;
  readonly singlePart: number;
  readonly seed: number;
}

export const MONTH: MonthPlan = {
  ...{ users: 10_000, questions: 100_000, gapPart: 0.07, singlePart: 0.01, seed: 1 },
};

const SMALL_TALK = ["Hello", "Thanks!", "ok", "What can you do?"];
const SMALL_TALK_PART = 0.02;
/** Of the questions, typed otherwise than the topic has them. */
const VARIED_PART = 0.4;
const LEAVES_PART = 0.05;
const RATED_PART = 0.04;
const REFUNDED_PART = 0.005;
const ERASED_PART = 0.01;
/** The first topics, and their first questions, are asked most. */
const SKEW = 1.5;
const WORD_SYLLABLES = 10;
const SYLLABLES = "ba be bo da de do fa fe fo ga ge go ka ke ko la le lo ma me".split(" ");

export function scriptedMonth(plan: MonthPlan, subjects: Subjects): Month {
  const random = new Random(plan.seed);
  const topics = new Map<string, Set<Topic>>();
  const count = Math.ceil(plan.users * ERASED_PART);
  const erased = new Set(Array.from({ length: count }, () => random.whole(0, plan.users - 1)));
  const erasedWords: string[] = [];
  const steps = Array.from({ length: plan.questions }, (_, i): Step => {
    // Each asks once; then some ask far more than others.
    const user = i < plan.users ? i : Math.floor(plan.users * random.next() ** 2);
    const isRated = random.chance(RATED_PART);
    const rating = isRated ? random.pick(["up", "down"] as const) : undefined;
    const isErased = erased.has(user);
    // No other word begins so.
    const word = `${isErased ? "zu" : ""}${newWord(random)}`;
    if (isErased) erasedWords.push(word);
    return {
      user,
      query: isErased ? `What about ${word}?` : queryOf(plan, subjects, topics, random),
      leaves: random.chance(LEAVES_PART),
      rating,
      comment: rating === "down" ? `It does not say ${word}.` : undefined,
      isRefunded: random.chance(REFUNDED_PART),
    };
  });
  return {
    ...{ steps, erased, erasedWords, topics },
    gaps: subjects.topics.filter(({ isGap }) => isGap),
  };
}

function queryOf(
  { gapPart, singlePart }: MonthPlan,
  subjects: Subjects,
  topics: Map<string, Set<Topic>>,
  random: Random,
): string {
  const kind = random.next();
  if (kind < SMALL_TALK_PART) return random.pick(SMALL_TALK);
  if (kind < SMALL_TALK_PART + singlePart) {
    const { query, topic } = subjects.single(random);
    if (topic !== undefined) note(topics, query, topic);
    return query;
  }
  const isGap = kind < SMALL_TALK_PART + singlePart + gapPart;
  const topic = skewed(
    subjects.topics.filter((one) => one.isGap === isGap),
    random,
  );
  const asked = topic.ask(random);
  const query = random.chance(VARIED_PART) ? varied(asked, random) : asked;
  note(topics, query, topic);
  return query;
}

function note(topics: Map<string, Set<Topic>>, query: string, topic: Topic): void {
  const text = query.trim();
  topics.set(text, (topics.get(text) ?? new Set()).add(topic));
}

/** As another user would type it. */
function varied(question: string, random: Random): string {
  return random.pick([misspelt, inLowerCase, withCourtesy, withoutItsBeginning])(question, random);
}

function inLowerCase(question: string): string {
  return question.toLowerCase().replace(/[?？¿.]/g, "");
}

function withCourtesy(question: string, random: Random): string {
  return random.pick([
    `hello, ${question} thanks`,
    `Please tell me: ${question}`,
    `${question}!!!`,
  ]);
}

function withoutItsBeginning(question: string): string {
  const words = question.split(" ");
  return words.length > 4 ? words.slice(2).join(" ") : question;
}

/** The first ones more often. */
export function skewed<T>(choices: readonly T[], random: Random): T {
  return choices[Math.floor(choices.length * random.next() ** SKEW)] as T;
}

/** Long enough that of a million no two are the same. */
export function newWord(random: Random): string {
  return Array.from({ length: WORD_SYLLABLES }, () => random.pick(SYLLABLES)).join("");
}

export interface Judgement {
  readonly gaps: number;
  readonly found: number;
  readonly missed: readonly string[];
  readonly groups: number;
  /** Groups about what the documents say, but the search did not find. */
  readonly answerable: number;
  /** The examples of groups that are about different things, or about nothing. */
  readonly wrong: readonly string[];
}

/**
 * Compares the groups of a report with gaps. A group is right if all its
 * examples are about the same subject.
 */
export function judge(
  groups: readonly ShownGroup[],
  { topics }: Month,
  gaps: readonly Topic[],
): Judgement {
  const seen = new Set<Topic>();
  const wrong: string[] = [];
  let answerable = 0;
  for (const { questions } of groups) {
    const about = questions.map((text) => [...(topics.get(text) ?? [])]);
    const [first = [], ...others] = about;
    const shared = first.filter(({ subject }) =>
      others.every((own) => own.some((topic) => topic.subject === subject)),
    );
    if (shared.length === 0) {
      wrong.push(questions.join(" | "));
      continue;
    }
    const subjects = new Set(shared.map(({ subject }) => subject));
    const named = about.flat().filter(({ subject }) => subjects.has(subject));
    for (const topic of named) seen.add(topic);
    if (!named.some(({ isGap }) => isGap)) answerable += 1;
  }
  const missed = gaps.filter((gap) => !seen.has(gap));
  return {
    gaps: gaps.length,
    found: gaps.length - missed.length,
    missed: missed.map(({ name }) => name),
    groups: groups.length,
    ...{ answerable, wrong },
  };
}
