// The operators' report for a terminal, and as Markdown. Pure.

import type { RefundReason } from "../src/protocol.ts";
import type { ShownCloseDocument, ShownComment, ShownGroup, ShownReport } from "../src/shown.ts";
import { indented, type Line, painted, run, wrap } from "./ask/lines.ts";
import { printable } from "./printable.ts";

/** Of a question or a comment, in characters. */
const LENGTH_MAX = 200;
/** Longer lines are hard to read. */
const WIDTH_MAX = 100;
const INDENT = "  ";

const REASONS: Readonly<Record<RefundReason, string>> = {
  disconnected: "the user disconnected",
  cancelled: "the user stopped the answer",
  nothing_found: "nothing was found",
  failed: "the model or this service failed",
  expired: "the service was interrupted",
  operator: "an operator refunded the answer",
};

const NO_WORDS =
  "SHARE_QUERIES is false, so the words of questions and comments stay with each user: there are no groups, no top questions and no comments here. Set SHARE_QUERIES to true to have them, of the questions asked from then on.";

export interface Terminal {
  readonly columns: number;
  readonly isStyled: boolean;
}

interface Item {
  /** How often, where that is counted. */
  readonly count?: number;
  readonly text: string;
  /** Beside the text, as far as it is known. */
  readonly about?: string;
  /** What users wrote. */
  readonly examples?: readonly string[];
  readonly details?: readonly string[];
}

interface Section {
  readonly title: string;
  /** Sentences below the title. */
  readonly about: readonly string[];
  readonly items: readonly Item[];
}

export function reportAsText(report: ShownReport, { columns, isStyled }: Terminal): string {
  const width = Math.max(40, Math.min(columns, WIDTH_MAX));
  const lines = [[run(headline(report), "bold")], ...sectionsOf(report).flatMap(linesOf(width))];
  return lines.map((line) => painted(line, isStyled)).join("\n");
}

export function reportAsMarkdown(report: ShownReport): string {
  const sections = sectionsOf(report).map(({ title, about, items }) => {
    const list = items.flatMap(({ count, text, about: beside, examples = [], details = [] }) => [
      `- ${count === undefined ? "" : `${number(count)} × `}${escaped(text)}${beside === undefined ? "" : ` (${escaped(beside)})`}`,
      ...[...examples.map(quoted), ...details].map((detail) => `  - ${escaped(detail)}`),
    ]);
    return [`## ${title}`, about.map(escaped).join(" "), list.join("\n")]
      .filter((part) => part !== "")
      .join("\n\n");
  });
  return [`# ${headline(report)}`, ...sections].join("\n\n");
}

function linesOf(width: number) {
  return ({ title, about, items }: Section): Line[] => {
    const digits = Math.max(0, ...items.map(({ count }) => countOf(count).length));
    const space = INDENT + " ".repeat(digits === 0 ? 0 : digits + 2);
    const isLong = items.some(({ examples, details }) => examples || details);
    const paragraph = (text: string, ...style: Parameters<typeof run>[1][]) =>
      indented(wrap([run(text, ...style)], width - INDENT.length), run(INDENT), run(INDENT));
    return [
      [],
      [run(title, "bold", "underline")],
      ...about.flatMap((sentence) => paragraph(sentence)),
      ...(about.length > 0 && isLong ? [[]] : []),
      ...items.flatMap((item, i) => [
        ...(isLong && i > 0 ? [[]] : []),
        ...itemLines(item, space, width),
      ]),
    ];
  };
}

function itemLines(item: Item, space: string, width: number): Line[] {
  const { count, text, about, examples = [], details = [] } = item;
  const mark = count === undefined ? space : `${countOf(count).padStart(space.length - 2)}  `;
  const inside = width - space.length;
  const block = (of: Line[], first = space) =>
    indented(of, run(first, ...(first === space ? [] : (["cyan"] as const))), run(space));
  return [
    ...block(
      wrap(
        [
          run(text, ...(examples.length > 0 && count !== undefined ? (["bold"] as const) : [])),
          ...(about === undefined ? [] : [run(`  ${about}`, "dim")]),
        ],
        inside,
      ),
      mark,
    ),
    ...examples.flatMap((example) => block(wrap([run(quoted(example))], inside))),
    ...details.flatMap((detail) => block(wrap([run(detail, "dim")], inside))),
  ];
}

function headline({ since, until }: ShownReport): string {
  return since === until ? `Belay on ${since}` : `Belay from ${since} to ${until}`;
}

function sectionsOf(report: ShownReport): Section[] {
  if (report.totals.asked === 0) return [nothingAsked()];
  const { words: isShared, questions, documents } = report;
  return [
    summary(report),
    ...(isShared ? [] : [{ title: "Without words", about: [NO_WORDS], items: [] }]),
    notAnswered(report),
    rated(report),
    ...(isShared ? [topQuestions(questions)] : []),
    {
      title: "Cited most",
      about: documents.cited.length === 0 ? ["No document was cited."] : [],
      items: documents.cited.map(({ documentId, answers }) => ({
        count: answers,
        text: name(documentId),
      })),
    },
    neverCited(report),
  ];
}

function nothingAsked(): Section {
  return {
    title: "Questions",
    about: [
      "No question was asked on these days. --since and --until choose others.",
      "An answer is listed half a minute after its end.",
    ],
    items: [],
  };
}

function summary({ totals }: ShownReport): Section {
  const refunds = (Object.entries(totals.refunded) as [RefundReason, number][])
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a);
  const refunded = refunds.reduce((sum, [, count]) => sum + count, 0);
  const share = `${number(refunded)} refunded (${percent(refunded / totals.asked)})`;
  return {
    title: "Questions",
    about: [
      `${number(totals.asked)} asked, ${number(totals.charged)} charged, ${share}${refunded > 0 ? ", because" : ""}${refunded > 0 ? ":" : "."}`,
    ],
    items: refunds.map(([reason, count]) => ({ count, text: REASONS[reason] })),
  };
}

function notAnswered({ words: isShared, unanswered }: ShownReport): Section {
  const { asked, withoutWords, more, closest, groups, ungrouped } = unanswered;
  const found = asked === 1 ? "1 question" : `${number(asked)} questions`;
  const about = [
    asked === 0
      ? "Every question found something."
      : `${found} found nothing.${more ? " Older ones are not in this list." : ""}`,
  ];
  if (isShared && withoutWords > 0) {
    about.push(`The words of ${number(withoutWords)} of them were deleted.`);
  }
  const items = groups.map(groupItem);
  if (ungrouped.asked > 0) {
    items.push({
      count: ungrouped.asked,
      text: groups.length === 0 ? "with nothing in common" : "in none of these groups",
      examples: ungrouped.questions.map(words),
    });
  }
  if (!isShared && closest.length > 0) about.push(nearest(closest));
  return { title: "Not answered", about, items };
}

function groupItem({ common, asked, users, lastAskedAt, questions, closest }: ShownGroup): Item {
  return {
    count: asked,
    text: common.map(name).join(", "),
    about: `${people(users)}, last on ${lastAskedAt.slice(0, 10)}`,
    examples: questions.map(words),
    details: [closest.length === 0 ? "Nothing came near." : nearest(closest)],
  };
}

function rated({ feedback: { up, down, more, comments }, words: isShared }: ShownReport): Section {
  const title = "Rated";
  if (up + down === 0) return { title, about: ["No answer was rated."], items: [] };
  const older = more ? " Older ratings are not counted." : "";
  const none = isShared && down > 0 && comments.length === 0 ? " None has a comment." : "";
  return {
    title,
    about: [`${number(up)} up, ${number(down)} down.${older}${none}`],
    items: comments.map(commentItem),
  };
}

function commentItem({ comment, question, user, askedAt, documents }: ShownComment): Item {
  const cited = documents.length === 0 ? "no document" : documents.map(name).join(", ");
  return {
    text: `Down: ${words(comment)}`,
    examples: question === null ? [] : [words(question)],
    details: [`${printable(user)}, ${askedAt.slice(0, 10)}; the answer cites ${cited}.`],
  };
}

function topQuestions({ more, counted, top }: ShownReport["questions"]): Section {
  return {
    title: "Asked most",
    about: more ? [`Of the newest ${number(counted)} questions.`] : [],
    items: top.map(({ question, asked, users, unanswered, up, down }) => ({
      count: asked,
      text: words(question),
      about: [
        people(users),
        ...(unanswered > 0 ? [`not answered ${times(unanswered)}`] : []),
        ...(up > 0 ? [`${number(up)} up`] : []),
        ...(down > 0 ? [`${number(down)} down`] : []),
      ].join(", "),
    })),
  };
}

function neverCited({ documents: { neverCited: never } }: ShownReport): Section {
  const title = "Never cited";
  if (never === null) return { title, about: ["The documents could not be read."], items: [] };
  const { count, documentIds, more } = never;
  if (count === 0) return { title, about: ["Each document was cited."], items: [] };
  const documents = count === 1 ? "1 document" : `${number(count)} documents`;
  const shown = documentIds.length < count ? ` The first ${documentIds.length} are:` : "";
  return {
    title,
    about: [`${documents}${more ? " or more" : ""}.${shown}`],
    items: documentIds.map((id) => ({ text: name(id) })),
  };
}

/** A score is the part of the question's words, rare ones weighing most. */
function nearest(closest: readonly ShownCloseDocument[]): string {
  const shown = closest.map(
    ({ documentId, score }, i) =>
      `${name(documentId)} (${percent(score)}${i === 0 ? " of the words" : ""})`,
  );
  return `Closest: ${shown.join(", ")}`;
}

function percent(part: number): string {
  return `${Math.round(100 * part)}%`;
}

function number(count: number): string {
  return count.toLocaleString("en-US");
}

function countOf(count: number | undefined): string {
  return count === undefined ? "" : number(count);
}

function people(count: number): string {
  return count === 1 ? "1 user" : `${number(count)} users`;
}

function times(count: number): string {
  return count === 1 ? "once" : `${number(count)} times`;
}

function name(id: string): string {
  return printable(id, LENGTH_MAX);
}

/** What a user wrote, on one line. */
function words(text: string): string {
  return printable(text.replace(/\s+/gu, " ").trim(), LENGTH_MAX);
}

function quoted(text: string): string {
  return `“${text}”`;
}

/** A line of Markdown that shows a text as it is. */
function escaped(line: string): string {
  return line
    .replace(/[\\`*_{}[\]<>#|~&!$]/g, "\\$&")
    .replace(/^([-+=])/, "\\$1")
    .replace(/^(\d+)([.)])/, "$1\\$2");
}
