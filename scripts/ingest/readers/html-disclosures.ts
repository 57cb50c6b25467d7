// What a page shows only after a click: tabs, accordions, details. Each part
// keeps its title.

import { boldLine, wordsOf } from "./html-element.ts";

/** Sets of tabs that have no roles: the set, its labels, its panels. */
const SETS = [
  [".tabbed-set", ":scope > .tabbed-labels > label", ":scope > .tabbed-content > .tabbed-block"],
  [".vp-code-group", ":scope > .tabs > label", ":scope > .blocks > *"],
] as const;
const BLOCK = "p, div, section, ul, ol, table, pre";
const HEADING = "h1, h2, h3, h4, h5, h6";

/** Whether a hidden part is shown after a click. */
export function isUnfolded(part: Element): boolean {
  if (part.getAttribute("role") === "tabpanel" || part.hasAttribute("aria-labelledby")) return true;
  if (part.getAttribute("hidden") === "until-found") return true;
  const id = part.getAttribute("id") ?? "";
  if (!/^[\w:.-]+$/.test(id)) return false;
  const control = part.ownerDocument.querySelector(`[aria-controls="${id}"]`);
  return control !== null && control.closest("nav, header, footer, [role=navigation]") === null;
}

export function prepareDisclosures(root: Element): void {
  const panels = [...root.querySelectorAll("[role=tabpanel]")];
  const labels = panels.map((panel) => labelOf(panel, root));
  panels.forEach((panel, i) => {
    label(panel, labels[i] ?? "");
  });
  for (const tabs of root.querySelectorAll("[role=tablist]")) tabs.remove();
  for (const [set, labels, panels] of SETS) {
    for (const element of root.querySelectorAll(set)) {
      const names = [...element.querySelectorAll(labels)];
      [...element.querySelectorAll(panels)].forEach((panel, i) => {
        const name = names[i];
        if (name !== undefined) panel.before(boldLine(root.ownerDocument, `${wordsOf(name)}:`));
      });
      for (const name of names) name.remove();
    }
  }
  for (const summary of root.querySelectorAll("summary")) prepareSummary(summary);
  for (const button of root.querySelectorAll("button[aria-expanded], button[aria-controls]")) {
    prepareButton(button, root);
  }
}

function label(panel: Element, name: string): void {
  if (name !== "") panel.prepend(boldLine(panel.ownerDocument, `${name}:`));
}

/** The name of a tab, by reference or by its place. */
function labelOf(panel: Element, root: Element): string {
  const by = panel.getAttribute("aria-labelledby") ?? "";
  const tabs = [...root.querySelectorAll("[role=tab]")];
  const named = tabs.find(
    (tab) =>
      (by !== "" && tab.getAttribute("id") === by) ||
      (panel.id !== "" && tab.getAttribute("aria-controls") === panel.id),
  );
  if (named !== undefined) return wordsOf(named);
  let set: Element | null = panel.parentElement;
  while (set !== null && set !== root && set.querySelector("[role=tablist]") === null) {
    set = set.parentElement;
  }
  const own = [...(set?.querySelectorAll("[role=tabpanel]") ?? [])].filter(
    (other) => other.parentElement === panel.parentElement,
  );
  const tab = set?.querySelectorAll("[role=tablist] [role=tab]")[own.indexOf(panel)];
  return tab === undefined ? "" : wordsOf(tab);
}

/** It becomes a line in bold, or the heading that it holds. */
function prepareSummary(summary: Element): void {
  const words = wordsOf(summary);
  if (words === "" || /(?:^|\s)hideme(?:\s|$)/.test(summary.className)) summary.remove();
  else if (summary.querySelector(HEADING) !== null) summary.replaceWith(...summary.childNodes);
  else {
    const content = summary.querySelector(BLOCK) === null ? [...summary.childNodes] : [words];
    const line = boldLine(summary.ownerDocument, ...content);
    line.setAttribute("data-summary", "");
    summary.replaceWith(line);
  }
}

/** The title of a part of an accordion. Headings keep theirs. */
function prepareButton(button: Element, root: Element): void {
  if (button.closest(HEADING) !== null || button.hasAttribute("aria-haspopup")) return;
  const id = button.getAttribute("aria-controls");
  const words = wordsOf(button);
  const isTitle =
    words.includes(" ") || (id !== null && root.querySelector(`[id="${id}"]`) !== null);
  if (isTitle && words !== "") button.replaceWith(boldLine(button.ownerDocument, words));
}
