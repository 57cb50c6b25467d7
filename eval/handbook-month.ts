// What users ask an invented bike rental: what its handbook says, and what it
// does not. Pure.

import type { Random } from "../test/support/random.ts";
import { type MonthDocument, newWord, type Subjects, type Topic } from "./scripted-month.ts";

/** The same thing in the words of several users. */
type Subject = readonly [name: string, ...others: string[]];

const ANSWERED: readonly Subject[] = [
  ["opening hours", "the opening hours", "your opening hours"],
  ["deposit", "the deposit", "a deposit for a bike"],
  ["helmet", "a helmet", "helmets"],
  ["puncture", "a puncture", "the repair of a puncture"],
  ["late return", "a late return", "returning a bike late"],
  ["reservation", "a reservation", "reservations"],
  ["cargo bike", "a cargo bike", "cargo bikes"],
  ["guided tour", "a guided tour", "guided tours"],
  ["student discount", "a student discount", "the discount for students"],
  ["battery", "the battery of an electric bike", "charging the battery"],
  ["lock", "the lock", "a second lock"],
  ["cancellation", "a cancellation", "the cancellation of a booking"],
];

const GAPS: readonly Subject[] = [
  ["voucher", "a gift voucher", "vouchers as a present"],
  ["trailer", "a trailer", "trailers for children"],
  ["insurance", "insurance against theft", "theft insurance"],
  ["tandem", "a tandem", "tandems for two"],
  ["delivery", "delivery to my hotel", "home delivery"],
  ["invoice", "an invoice", "invoices for my company"],
  ["parking", "parking for my car", "car parking"],
  ["luggage", "luggage storage", "storing my luggage"],
  ["dog", "a dog basket", "taking my dog along"],
  ["raincoat", "a raincoat", "raincoats for rainy days"],
  ["unicycle", "a unicycle", "unicycles"],
  ["wheelchair", "wheelchair access", "access with a wheelchair"],
  ["sauna", "a sauna", "saunas near the desk"],
  ["saddle", "a softer saddle", "other saddles"],
  ["breakfast", "breakfast before the ride", "a breakfast package"],
  ["ferry", "the ferry to the island", "taking the ferry with a bike"],
  ["workshop", "a workshop on repairing", "workshops for beginners"],
  ["job", "a job with you", "jobs for the summer"],
  ["newsletter", "the newsletter", "your newsletter"],
  ["tricycle", "a tricycle for adults", "tricycles"],
];

const FRAMES = [
  "How does % work?",
  "What does % cost?",
  "Can I get %?",
  "Where do I find %?",
  "Do you offer %?",
  "I need %. What should I do?",
  "Is % possible at the weekend?",
  "Tell me about %",
  "hello, could you tell me about %? thanks",
  "Who helps me with %?",
];

/** One section answers every question about its subject. */
const DOCUMENTS: readonly MonthDocument[] = [
  ...ANSWERED.map(([name, ...others], i) => ({
    id: name.replaceAll(" ", "-"),
    title: name,
    text:
      `How ${name} works: you need to tell us about ${others.join(", or ")}. ` +
      `It costs ${i + 2} euros. We offer it, and you can get and find it at the desk. ` +
      `At the weekend it is possible too. Olga helps you with ${others.join(" and ")}.`,
  })),
  { id: "history", title: "History", text: "Two brothers founded the company in a barn in 1987." },
];

/** @param gaps How many of the gaps are asked about. */
export function handbook(gaps = GAPS.length): Subjects {
  const topic =
    (isGap: boolean) =>
    ([name, ...others]: Subject): Topic => ({
      ...{ name, subject: name, isGap },
      ask: (random) => framed(random.pick(others), random),
    });
  return {
    documents: DOCUMENTS,
    topics: [...GAPS.slice(0, gaps).map(topic(true)), ...ANSWERED.map(topic(false))],
    single: (random) => {
      const query = framed(`${newWord(random)} ${newWord(random)}`, random);
      return { query, topic: undefined };
    },
  };
}

function framed(subject: string, random: Random): string {
  return random.pick(FRAMES).replace("%", subject);
}
