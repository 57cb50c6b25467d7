// The short lists of the overview: what could not be answered, who asks most, and
// which documents answer. Each leads to where there is more.

import type { ShownReport, ShownUser } from "../../shown.ts";
import { element } from "../element.ts";
import { Area, empty } from "./area.ts";
import { count, daysAgo, whole } from "./format.ts";
import { named, nameLink } from "./names.ts";
import { addressOf, type Place } from "./place.ts";

const LENGTH = "5";
const DEFAULT = "default";

interface Leaders {
  readonly report: ShownReport;
  readonly users: readonly ShownUser[];
}

/** @param days The period that is chosen. */
export function leaders({ api, gone }: Place, days: () => string): Area<Leaders> {
  return new Area(
    async (signal): Promise<Leaders> => {
      const since = daysAgo(Number(days()) - 1);
      const [report, { users }] = await Promise.all([
        api.get<ShownReport>("/report", { since, limit: LENGTH }, signal),
        api.get<{ users: ShownUser[] }>("/users", { since, sort: "asked", limit: LENGTH }, signal),
      ]);
      return { report, users };
    },
    ({ report, users }) => [
      element(
        "div",
        { class: "leaders" },
        gaps(report, days()),
        mostActive(users, days()),
        ...documents(report),
      ),
    ],
    gone,
  );
}

function gaps({ unanswered, words, totals }: ShownReport, days: string): HTMLElement {
  const { groups, asked, ungrouped } = unanswered;
  const single = ungrouped.questions.slice(0, Number(LENGTH) - groups.length);
  const items = [
    ...groups.map(({ common, questions, asked }) =>
      line(element("bdi", {}, questions[0] ?? common.join(" ")), asked),
    ),
    ...single.map((question) => line(element("bdi", {}, question), undefined)),
  ];
  const none =
    totals.asked === 0
      ? "No question was asked."
      : asked === 0
        ? "Every question found something."
        : words
          ? "The words of these questions are not kept."
          : "SHARE_QUERIES is false: the questions are not shown.";
  return list(
    "Could not be answered",
    items,
    none,
    addressOf(["questions"], { days }),
    asked > 0 ? count(asked, "question") : undefined,
  );
}

function mostActive(users: readonly ShownUser[], days: string): HTMLElement {
  const items = users.map(({ user, asked }) =>
    line(nameLink(user, addressOf(["users", user])), asked),
  );
  const address = addressOf(["users"], { sort: "asked", ...(days !== "90" && { days }) });
  return list("Who asked most", items, "No one asked.", address);
}

function documents({ documents: { cited, neverCited } }: ShownReport): HTMLElement[] {
  const address = addressOf(["documents"]);
  const often = cited.map(({ documentId, answers }) => line(named(documentId), answers));
  const never = neverCited?.documentIds.map((id) =>
    line(nameLink(id, addressOf(["documents", DEFAULT, id])), undefined),
  );
  return [
    list("Cited most", often, "No answer cites a document.", address),
    list(
      "Never cited",
      never?.slice(0, Number(LENGTH)) ?? [],
      neverCited === null ? "The documents could not be read." : "Every document is cited.",
      address,
      neverCited === null || neverCited.count === 0
        ? undefined
        : `${whole(neverCited.count)}${neverCited.more ? " or more" : ""}`,
    ),
  ];
}

function line(what: Node, asked: number | undefined): HTMLElement {
  const number = asked === undefined ? [] : [element("span", { class: "number" }, whole(asked))];
  return element("li", {}, element("span", { class: "what" }, what), ...number);
}

function list(
  title: string,
  items: readonly HTMLElement[],
  none: string,
  address: string,
  note?: string,
): HTMLElement {
  const heading = element("h2", {}, element("a", { href: address }, title));
  const remark = note === undefined ? [] : [element("small", { class: "faint" }, note)];
  return element(
    "section",
    { class: "panel" },
    element("div", { class: "heading" }, heading, ...remark),
    items.length === 0 ? empty(none) : element("ol", { class: "ranks" }, ...items),
  );
}
