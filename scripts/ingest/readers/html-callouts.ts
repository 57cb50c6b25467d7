// Callouts of a page: notes, tips and warnings become alerts (`> [!NOTE]`).

import { ALERTS } from "./alerts.ts";
import { wordsOf } from "./html-element.ts";

const CALLOUT =
  /(?:^|[\s_-])(?:starlight-aside|admonition|callout|custom-block|alert|notice|notecard|hint|infobox|markdown-alert|confluence-information-macro)(?=$|[\s_-])/i;
const TITLE =
  ":scope > .admonition-title, :scope > .custom-block-title, :scope > [class*=title], :scope > [class*=eading], :scope > [data-summary]";
const KIND =
  /\b(note|tip|info|warning|caution|danger|important|success|error|deprecated|attention|hint)\b/gi;
export function prepareCallouts(root: Element): void {
  for (const box of root.querySelectorAll("div, aside, section, details, blockquote, figure")) {
    const isNamed = box.hasAttribute("data-callout-type");
    if (isNamed || CALLOUT.test(box.getAttribute("class") ?? "")) prepareCallout(box);
  }
}

/** Some themes call every callout a hint. */
function kindOf(box: Element): string {
  const names = `${box.getAttribute("data-callout-type") ?? ""} ${box.getAttribute("class") ?? ""}`;
  const kinds = (names.match(KIND) ?? []).map((kind) => kind.toLowerCase());
  return kinds.find((kind) => kind !== "hint") ?? kinds[0] ?? "note";
}

function prepareCallout(box: Element): void {
  const { ownerDocument } = box;
  if (box.parentElement === null || box.closest("blockquote") !== null) {
    if (box.localName !== "blockquote") return;
  }
  const title = box.querySelector(TITLE);
  const kind = kindOf(box);
  const words = title === null ? "" : wordsOf(title);
  title?.remove();
  const [first] = box.children;
  // A sign alone.
  if (first !== undefined && box.children.length > 1 && !/[\p{L}\p{N}]/u.test(wordsOf(first))) {
    first.remove();
  }
  const lead = box.querySelector("p > strong:first-child, p > b:first-child");
  if (lead !== null && wordsOf(lead).replace(/\s*:$/, "").toLowerCase() === kind) lead.remove();
  const quote = ownerDocument.createElement("blockquote");
  quote.setAttribute("data-alert", ALERTS.get(kind) ?? "NOTE");
  if (words.toLowerCase() !== kind) quote.setAttribute("data-title", words);
  quote.append(...box.childNodes);
  box.replaceWith(quote);
}
