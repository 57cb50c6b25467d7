// What users ask, in three views: what could not be answered, in groups; what is
// asked most; and every question.

import type { ShownCloseDocument, ShownGroup, ShownQuestion, ShownReport } from "../../shown.ts";
import { element, icon } from "../element.ts";
import { Area, empty } from "./area.ts";
import { chosenOf, PERIODS, segments } from "./fields.ts";
import { count, daysAgo, score, time } from "./format.ts";
import { joined, named, written } from "./names.ts";
import { addressOf, type Place } from "./place.ts";
import { allQuestions } from "./queries.ts";
import { Table } from "./table.ts";

const VIEWS = { gaps: "Not answered", top: "Asked most", all: "All questions" };
type View = keyof typeof VIEWS;

/** The length of each list of the report. */
const REPORTED = "50";
const NONE = "No question was asked in this time.";
const NOT_SHARED = "SHARE_QUERIES is false, so no word of a question or an answer is shown.";

export function questions(place: Place): void {
  const view = chosenOf(VIEWS, place.names[0] ?? null, "gaps") as View;
  const links = Object.entries(VIEWS).map(([name, words]) => {
    const names = name === "gaps" ? ["questions"] : ["questions", name];
    const current = name === view ? "page" : undefined;
    return element("a", { href: addressOf(names), "aria-current": current }, words);
  });
  place.root.append(
    element("nav", { class: "views", "aria-label": "Views of questions" }, ...links),
    ...(place.showsWords ? [] : [element("p", { class: "note" }, NOT_SHARED)]),
  );
  if (view === "all") allQuestions(place);
  else reported(place, view);
}

function reported({ api, root, controls, filters, gone, keep }: Place, view: "gaps" | "top"): void {
  let days = chosenOf(PERIODS, filters.get("days"), "30");
  const area = new Area(
    (signal) => {
      const since = daysAgo(Number(days) - 1);
      return api.get<ShownReport>("/report", { since, limit: REPORTED }, signal);
    },
    view === "gaps" ? gaps : top,
    gone,
  );
  controls.append(
    segments("Period", PERIODS, days, (chosen) => {
      days = chosen;
      keep({ days });
      area.load();
    }),
  );
  root.append(area.root);
  area.load();
}

function gaps({ words, unanswered, totals }: ShownReport): readonly Node[] {
  const { asked, groups, ungrouped, closest, withoutWords, more } = unanswered;
  if (totals.asked === 0) return [empty(NONE)];
  if (asked === 0) return [empty("Every question of this time found something to answer with.")];
  const title = groups.length === 0 ? "Questions" : "In no group";
  const others = ungrouped.questions.map((question) => element("li", {}, written(question, "q")));
  const rest = ungrouped.asked === 0 ? [] : [section(title, others, ungrouped.asked)];
  const first = `${count(asked, "question")} found nothing${more ? ", and older ones that are not read" : ""}.`;
  const kept =
    words && withoutWords > 0
      ? ` The words of ${count(withoutWords, "of them", "of them")} are not kept.`
      : "";
  return [
    element("p", { class: "faint" }, first + kept),
    element("ol", { class: "gaps" }, ...groups.map(gap)),
    ...rest,
    // Without words, this is what says where documents are missing.
    ...(words ? [] : [nearest(closest)]),
  ];
}

function section(title: string, items: readonly HTMLElement[], asked: number): HTMLElement {
  return element(
    "section",
    { class: "panel" },
    element(
      "div",
      { class: "heading" },
      element("h2", {}, title),
      element("small", { class: "faint" }, count(asked, "question")),
    ),
    element("ul", { class: "quotes" }, ...items),
  );
}

function gap({ common, asked, users, lastAskedAt, questions, closest }: ShownGroup): HTMLElement {
  const [example = ""] = questions;
  const words = common.map((word) => element("bdi", { class: "chip" }, word));
  const search = addressOf(["documents"], { search: example });
  return element(
    "li",
    { class: "card gap" },
    element(
      "p",
      { class: "much" },
      element("b", {}, `${asked}`),
      ` ${asked === 1 ? "question" : "questions"}`,
    ),
    element(
      "div",
      { class: "about" },
      element("h2", { class: "words" }, ...words),
      element(
        "ul",
        { class: "quotes" },
        ...questions.map((question) => element("li", {}, written(question, "q"))),
      ),
      ...closestLine(closest),
      element(
        "p",
        { class: "meta" },
        element("span", {}, `by ${count(users, "user")}`),
        element("span", {}, "last ", time(lastAskedAt)),
        element("a", { href: search }, icon("find"), "Try a search"),
      ),
    ),
  );
}

function closestLine(closest: readonly ShownCloseDocument[]): HTMLElement[] {
  if (closest.length === 0) return [element("p", { class: "faint" }, "No passage was close.")];
  const names = closest.map(({ documentId, score: value }) =>
    element("span", {}, named(documentId), ` ${score(value)}`),
  );
  return [element("p", { class: "faint" }, "Closest: ", ...joined(names, ", "))];
}

function nearest(closest: readonly ShownCloseDocument[]): HTMLElement {
  const title = "Documents that came closest";
  const columns = [
    { title: "Document" },
    { title: "Questions", isNumber: true },
    { title: "Best score", isNumber: true },
  ];
  const rows = closest.map(({ documentId, asked, score: value }) => [
    named(documentId),
    asked,
    score(value),
  ]);
  const shown =
    rows.length === 0 ? empty("No passage was close.") : new Table(title, columns).fill(rows);
  return element("section", {}, element("h2", {}, title), shown);
}

function top({ words, questions }: ShownReport): readonly Node[] {
  if (!words) return [empty("Without the words of questions, there is nothing to count here.")];
  if (questions.top.length === 0) return [empty(NONE)];
  const table = new Table("Asked most", [
    { title: "Question" },
    { title: "Asked", isNumber: true },
    { title: "Users", isNumber: true, isMinor: true },
    { title: "Nothing found", isNumber: true },
    { title: "Rated up", isNumber: true, isMinor: true },
    { title: "Rated down", isNumber: true, isMinor: true },
  ]);
  return [table.fill(questions.top.map(topRow))];
}

function topRow({ question, asked, users, unanswered, up, down }: ShownQuestion) {
  return [written(question, "q"), asked, users, unanswered, up, down];
}
