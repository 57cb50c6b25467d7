// A month of real questions about the documents of collections. Some documents
// are left out: what is asked about them is a gap. So is each question that its
// collection says no document answers.

import { basename, resolve } from "node:path";
import { Random } from "../test/support/random.ts";
import { type Collection, readCollection } from "./collection.ts";
import { type MonthDocument, type Subjects, skewed, type Topic } from "./scripted-month.ts";

/** Of the titles of a collection. */
const LEFT_OUT_PART = 0.08;
const NO_TITLE = "-";

/**
 * @param folders Collections whose documents are loaded.
 * @param others Collections that users ask about too, once each question.
 */
export async function collections(
  folders: readonly string[],
  others: readonly string[],
  seed: number,
): Promise<Subjects> {
  const random = new Random(seed);
  const parts = await Promise.all(folders.map(async (folder) => partOf(folder, random)));
  const foreign = await Promise.all(others.map((folder) => partOf(folder, random)));
  const singles = foreign.flatMap(({ topics }) =>
    topics.map((topic) => ({ ...topic, isGap: false })),
  );
  return {
    documents: parts.flatMap(({ documents }) => documents),
    topics: inAnyOrder(
      parts.flatMap(({ topics }) => topics),
      random,
    ),
    single: (now) => {
      const topic = singles.length === 0 ? undefined : now.pick(singles);
      return { query: topic?.ask(now) ?? "?", topic };
    },
  };
}

async function partOf(folder: string, random: Random) {
  const collection = await readCollection(folder);
  const name = basename(resolve(folder));
  const titles = new Set([...collection.documents.values()].map(titleOf));
  const leftOut = new Set(
    inAnyOrder([...titles], random).slice(0, Math.ceil(titles.size * LEFT_OUT_PART)),
  );
  const documents = [...collection.documents.values()]
    .filter((document) => !leftOut.has(titleOf(document)))
    .map(({ id, title, text }): MonthDocument => {
      return { id: `${name}/${id}`, title: title.trim() || NO_TITLE, text };
    });
  const topics = [...topicsOf(collection)].map(([topic, questions]): Topic => {
    return {
      name: `${name}: ${topic}`,
      subject: topic,
      isGap: leftOut.has(topic) || !titles.has(topic),
      ask: (now) => skewed(questions, now),
    };
  });
  return { documents, topics };
}

/** The questions by the title that answers them. */
function topicsOf({ documents, questions }: Collection): Map<string, string[]> {
  const topics = new Map<string, string[]>();
  for (const { text, relevant, history } of questions) {
    // What came before is not asked.
    if (history.length > 0) continue;
    const all = new Set([...relevant.keys()].flatMap((id) => documents.get(id) ?? []).map(titleOf));
    const [topic = text, ...more] = all;
    // With one of several documents, it may be answered.
    if (more.length > 0) continue;
    topics.set(topic, [...(topics.get(topic) ?? []), text]);
  }
  return topics;
}

function titleOf({ id, title }: { readonly id: string; readonly title: string }): string {
  return title.trim() || id;
}

function inAnyOrder<T>(list: readonly T[], random: Random): T[] {
  return list
    .map((one) => [random.next(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
}
