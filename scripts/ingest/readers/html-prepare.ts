// Changes what Markdown has no words for, before a page is converted.

import { prepareCallouts } from "./html-callouts.ts";
import { prepareCode } from "./html-code.ts";
import { prepareDisclosures } from "./html-disclosures.ts";
import { rawText, renamed, wordsOf } from "./html-element.ts";
import { prepareFootnotes, safeId } from "./html-footnotes.ts";

const ANCHOR_SIGN = /^[\s#¶§🔗\u200b]*$/u;
const ANCHOR_CLASS = /(?:^|\s)(?:headerlink|header-anchor|hash-link|anchorjs-link|anchor)(?:\s|$)/;

export function prepare(root: Element): void {
  prepareMath(root);
  prepareDisclosures(root);
  for (const heading of root.querySelectorAll("h1, h2, h3, h4, h5, h6")) prepareHeading(heading);
  for (const link of root.querySelectorAll("a.headerlink, a.anchor, a.src, .viewcode-link")) {
    if (ANCHOR_SIGN.test(link.textContent) || !link.classList.contains("anchor")) link.remove();
  }
  prepareFootnotes(root);
  prepareCode(root);
  prepareLists(root);
  for (const list of [...root.querySelectorAll("dl")].reverse()) prepareDefinitions(list);
  prepareCallouts(root);
}

/** Its id becomes an attribute list; signs that link to it are removed. */
function prepareHeading(heading: Element): void {
  let id = heading.getAttribute("id");
  for (const button of heading.querySelectorAll("button")) {
    // The title of what it unfolds, or a sign that copies.
    if (wordsOf(button) === wordsOf(heading)) button.replaceWith(...button.childNodes);
    else button.remove();
  }
  for (const link of heading.querySelectorAll("a")) {
    const target = /^#(.+)$/.exec(link.getAttribute("href") ?? "")?.[1];
    id ??= link.getAttribute("id") || link.getAttribute("name") || (target ?? null);
    const isSign = ANCHOR_SIGN.test(link.textContent) || ANCHOR_CLASS.test(link.className);
    if (isSign) link.remove();
  }
  id ??= heading.querySelector("[id]")?.getAttribute("id") ?? null;
  // GitHub has the link beside the heading.
  const beside = heading.parentElement?.querySelector(":scope > a.anchor[href^='#']");
  if (beside && heading.parentElement?.className === "markdown-heading") {
    id ??= beside.getAttribute("href")?.slice(1) ?? null;
    beside.remove();
  }
  // Sphinx and others put the id on the section.
  const parent = heading.parentElement;
  if (id === null && parent?.localName === "section") id = parent.getAttribute("id");
  if (id !== null && /^[^\s{}]{1,200}$/.test(id)) heading.setAttribute("data-anchor", safeId(id));
}

/** Formulas in TeX, once: pages hold them as pictures of letters too. */
function prepareMath(root: Element): void {
  const { ownerDocument } = root;
  const put = (element: Element, tex: string, isBlock: boolean) => {
    const words = tex.replace(/\s+/g, " ").trim();
    const raw = rawText(ownerDocument, isBlock ? `$$${words}$$` : `$${words}$`);
    const block = ownerDocument.createElement("p");
    block.append(raw);
    element.replaceWith(isBlock ? block : raw);
  };
  for (const math of root.querySelectorAll("math")) {
    const tex =
      math.querySelector("annotation[encoding='application/x-tex']")?.textContent ??
      math.getAttribute("alttext");
    if (tex === null) continue;
    const display = math.closest(".katex-display");
    const isBlock = display !== null || math.getAttribute("display") === "block";
    put(display ?? math.closest(".katex, mjx-container") ?? math, tex, isBlock);
  }
  for (const math of root.querySelectorAll(".arithmatex, span.math, div.math, math-renderer")) {
    const text = math.textContent.trim();
    const [, inline, block] = /^\\\((.*)\\\)$|^\\\[(.*)\\\]$/s.exec(text) ?? [];
    if (inline !== undefined || block !== undefined) {
      put(math, inline ?? block ?? "", block !== undefined);
    } else if (/^\$.*\$$/s.test(text)) math.replaceWith(rawText(ownerDocument, text));
  }
}

function prepareLists(root: Element): void {
  const { ownerDocument } = root;
  for (const box of root.querySelectorAll("li > .checkbox")) {
    const input = ownerDocument.createElement("input");
    input.setAttribute("type", "checkbox");
    if (box.classList.contains("checkbox-on")) input.setAttribute("checked", "");
    box.replaceWith(input);
  }
  for (const steps of root.querySelectorAll("div.steps[role=list]")) {
    for (const number of steps.querySelectorAll(".step-number")) number.remove();
    for (const title of steps.querySelectorAll("p.step-title")) {
      const strong = ownerDocument.createElement("strong");
      strong.append(...title.childNodes);
      title.append(strong);
    }
    for (const item of steps.querySelectorAll(":scope > [role=listitem]")) renamed(item, "li");
    renamed(steps, "ol");
  }
  prepareWordLists(root);
  // Generators of API docs put each section into an item.
  for (const list of [...root.querySelectorAll("ul, ol")].reverse()) {
    const items = [...list.children];
    const hold = (item: Element) => item.querySelector("h1, h2, h3, h4, h5, h6") !== null;
    if (items.length > 0 && items.every(hold)) {
      list.replaceWith(...items.flatMap((item) => [...item.childNodes]));
    }
  }
}

/** Word writes the items of a list as paragraphs with a sign. */
function prepareWordLists(root: Element): void {
  let list: Element | undefined;
  for (const line of root.querySelectorAll("p[class^=MsoListParagraph]")) {
    const sign = [...line.querySelectorAll("span[style]")].find((span) =>
      /mso-list:\s*Ignore/i.test(span.getAttribute("style") ?? ""),
    );
    if (sign === undefined) continue;
    const name = /^\s*\(?[\da-z]{1,3}[.)]/i.test(sign.textContent) ? "ol" : "ul";
    sign.remove();
    if (line.previousElementSibling !== list || list?.localName !== name) {
      list = root.ownerDocument.createElement(name);
      line.before(list);
    }
    list.append(renamed(line, "li"));
  }
}

/** Term and definition become an item. */
function prepareDefinitions(list: Element): void {
  const { ownerDocument } = list;
  const items = ownerDocument.createElement("ul");
  let item: Element | undefined;
  for (const part of list.querySelectorAll("dt, dd")) {
    if (part.closest("dl") !== list) continue;
    if (part.localName === "dt" || item === undefined) {
      item = ownerDocument.createElement("li");
      items.append(item);
    }
    if (part.localName === "dt") {
      const term = ownerDocument.createElement("strong");
      if (part.classList.contains("sig")) {
        // The signature of a function in the docs of an API.
        const code = ownerDocument.createElement("code");
        code.textContent = wordsOf(part);
        term.append(code);
      } else term.append(...part.childNodes);
      const { lastChild } = term;
      if (/:\s*$/.test(term.textContent) && lastChild !== null) {
        lastChild.textContent = lastChild.textContent?.replace(/\s*:\s*$/, "") ?? "";
      }
      item.append(term, ": ");
    } else {
      if (item.querySelector("[data-definition]") !== null) item.append("; ");
      const isBlock = part.querySelector("p, ul, ol, pre, table, div") !== null;
      const definition = ownerDocument.createElement(isBlock ? "div" : "span");
      definition.setAttribute("data-definition", "");
      const only = part.children.length === 1 && part.firstElementChild?.localName === "p";
      definition.append(...((only ? part.firstElementChild : part) ?? part).childNodes);
      item.append(definition);
    }
  }
  list.replaceWith(items);
}
