// Footnotes of a page: `[^1]`, and `[^1]: text` where the notes are.

import { rawText } from "./html-element.ts";

const NOTE = "li[id], div[id], aside[id], p[id], [role=doc-footnote][id], [role=doc-endnote][id]";
const NOTE_ID = /^(?:user-content-)?(?:fn|footnote|note|cite_note|endnote)[-:_]?[\w.-]+$/i;

export function prepareFootnotes(root: Element): void {
  const notes = new Map<string, { readonly note: Element; readonly number: number }>();
  for (const note of root.querySelectorAll(NOTE)) {
    const id = note.getAttribute("id") ?? "";
    const role = note.getAttribute("role") ?? "";
    const isNote = /^doc-(?:foot|end)note$/.test(role) || (NOTE_ID.test(id) && !/ref/i.test(id));
    if (isNote) notes.set(id, { note, number: notes.size + 1 });
  }
  if (notes.size === 0) return;
  const used = new Set<Element>();
  for (const link of root.querySelectorAll("a[href^='#']")) {
    const found = notes.get(safeId((link.getAttribute("href") ?? "").slice(1)));
    if (found === undefined || found.note.contains(link)) continue;
    const mark = rawText(root.ownerDocument, `[^${found.number}]`);
    const sup = link.closest("sup");
    (sup !== null && !sup.contains(found.note) ? sup : link).replaceWith(mark);
    used.add(found.note);
  }
  for (const { note, number } of notes.values()) {
    if (!used.has(note)) continue;
    // Sphinx repeats the number, with a link back.
    for (const label of note.querySelectorAll(":scope > .label")) label.remove();
    for (const back of note.querySelectorAll("a")) {
      const isBack =
        /back|reverse/i.test(back.getAttribute("class") ?? "") ||
        /^(?:\s|↩|↑|\^|⏎|\ufe0e)*$/u.test(back.textContent);
      if (isBack && (back.getAttribute("href") ?? "").startsWith("#")) back.remove();
    }
    const box = root.ownerDocument.createElement("div");
    const [only] = note.children;
    const isParagraph = note.children.length === 1 && only?.localName === "p";
    box.append(
      rawText(root.ownerDocument, `[^${number}]:`),
      " ",
      ...((isParagraph ? only : note) ?? note).childNodes,
    );
    const list = note.parentElement;
    if (list !== null && /^[ou]l$/.test(list.localName)) list.before(box);
    else note.before(box);
    note.remove();
    if (list !== null && list.children.length === 0) list.remove();
  }
}

/** The id that a link with percent signs means. */
export function safeId(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    // It is no percent-encoding: the id is as written.
    return id;
  }
}
