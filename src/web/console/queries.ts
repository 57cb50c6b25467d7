// Queries of all users, one by one: the questions, and the feedback.

import type { ShownQuery } from "../../shown.ts";
import { element, icon } from "../element.ts";
import { choice, chosenOf, LIST_PERIODS, segments } from "./fields.ts";
import { daysAgo, milliseconds, score, time } from "./format.ts";
import { joined, named, nameLink, written } from "./names.ts";
import { Pages } from "./pages.ts";
import { addressOf, type Place } from "./place.ts";
import { ending, REASON_NAMES, REASONS, stateKind } from "./words.ts";

const RATINGS = { any: "All", down: "Rated down", up: "Rated up" };
const KINDS: Readonly<Record<string, string>> = {
  all: "Any ending",
  gaps: "Nothing found",
  found: "Found an answer",
  ...Object.fromEntries(
    REASON_NAMES.map((reason) => [`reason-${reason}`, `Refunded: ${REASONS[reason]}`]),
  ),
};

export function allQuestions(place: Place): void {
  const { filters, controls } = place;
  let kind = chosenOf(KINDS, filters.get("kind"), "all");
  list(place, {
    path: "/queries",
    parameters: () => kindParameters(kind),
    filters: () => ({ kind }),
    none: "There is no such question. A question shows here seconds after its end.",
    controls: (reload) => {
      controls.append(
        choice("Ending", KINDS, kind, (chosen) => {
          kind = chosen;
          reload();
        }),
      );
    },
  });
}

export function feedback(place: Place): void {
  const { filters, controls, showsWords, root } = place;
  let rating = chosenOf(RATINGS, filters.get("rating"), "any");
  if (!showsWords) root.append(element("p", { class: "note" }, NO_COMMENTS));
  list(place, {
    path: "/feedback",
    parameters: () => ({ rating }),
    filters: () => ({ rating }),
    none: "No answer was rated yet.",
    controls: (reload) => {
      controls.append(
        segments("Rating", RATINGS, rating, (chosen) => {
          rating = chosen;
          reload();
        }),
      );
    },
  });
}

const NO_COMMENTS =
  "SHARE_QUERIES is false, so there are ratings without words. A comment is on its user’s page.";

function kindParameters(kind: string): Record<string, string> {
  if (kind === "gaps") return { found: "false" };
  if (kind === "found") return { found: "true" };
  return kind === "all" ? {} : { reason: kind.slice("reason-".length) };
}

interface Kind {
  readonly path: string;
  parameters(): Readonly<Record<string, string>>;
  /** As they are in the address. */
  filters(): Readonly<Record<string, string>>;
  readonly none: string;
  controls(reload: () => void): void;
}

function list(place: Place, kind: Kind): void {
  const { api, root, controls, filters, gone, keep, showsWords } = place;
  let days = chosenOf(LIST_PERIODS, filters.get("days"), "");
  const pages = new Pages<ShownQuery>(
    {
      async load(before, signal) {
        const since = days === "" ? undefined : daysAgo(Number(days) - 1);
        const page = await api.get<{ queries: ShownQuery[]; before: string | null }>(
          kind.path,
          { ...kind.parameters(), since, before },
          signal,
        );
        return { items: page.queries, next: page.before };
      },
      show: (query) => shown(query, showsWords),
      holder: element("ul", { class: "cards" }),
      none: kind.none,
    },
    gone,
  );
  const reload = () => {
    keep({ ...kind.filters(), days });
    pages.load();
  };
  kind.controls(reload);
  controls.append(
    segments("Period", LIST_PERIODS, days, (chosen) => {
      days = chosen;
      reload();
    }),
  );
  root.append(pages.root);
  pages.load();
}

function shown(query: ShownQuery, showsWords: boolean): HTMLElement {
  const { question, answer, comment, rating, user, askedAt, firstTokenMs, collections } = query;
  const missing = showsWords ? "The words are not kept." : "Not shared.";
  const others = collections.filter((name) => name !== "default");
  return element(
    "li",
    { class: "card" },
    question === null ? element("p", { class: "faint" }, missing) : written(question, "asked"),
    ...(comment === null ? [] : [written(comment, "comment")]),
    ...(answer === null ? [] : [foldedAnswer(answer)]),
    ...documents(query),
    element(
      "p",
      { class: "meta" },
      ...(rating === null ? [] : [thumb(rating)]),
      element("span", { class: `chip ${stateKind(query)}` }, ending(query)),
      nameLink(user, addressOf(["users", user])),
      time(askedAt),
      ...(firstTokenMs === null
        ? []
        : [element("span", {}, `first token ${milliseconds(firstTokenMs)}`)]),
      ...others.map((name) => element("span", {}, `in ${name}`)),
    ),
  );
}

export function foldedAnswer(answer: string, ...more: readonly Node[]): HTMLElement {
  const words = element("summary", {}, "Answer");
  return element("details", {}, words, written(answer, "text"), ...more);
}

function thumb(rating: "up" | "down"): HTMLElement {
  const kind = rating === "up" ? "good" : "bad";
  return element("span", { class: `chip ${kind}` }, icon(rating), `rated ${rating}`);
}

/** What the answer cites or, if nothing was found, what came closest. */
function documents({ documents, closest, found }: ShownQuery): HTMLElement[] {
  if (found === false) {
    if (closest.length === 0) return [element("p", { class: "faint" }, "No passage was close.")];
    const names = closest.map(({ documentId, score: value }) =>
      element("span", {}, named(documentId), ` ${score(value)}`),
    );
    return [element("p", { class: "faint" }, "Closest: ", ...joined(names, ", "))];
  }
  if (documents.length === 0) return [];
  return [element("p", { class: "faint" }, "Cites ", ...joined(documents.map(named), ", "))];
}
