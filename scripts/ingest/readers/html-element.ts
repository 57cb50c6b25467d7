// Small steps on elements that the readers share.

/** Text that is not escaped as Markdown. */
export function rawText(document: Document, text: string): Element {
  const element = document.createElement("span");
  element.setAttribute("data-raw", "");
  element.textContent = text;
  return element;
}

/** A line of its own in bold. */
export function boldLine(document: Document, ...content: readonly (Node | string)[]): Element {
  const line = document.createElement("p");
  const strong = document.createElement("strong");
  strong.append(...content);
  line.append(strong);
  return line;
}

/** The same with another name. */
export function renamed(element: Element, name: string): Element {
  const other = element.ownerDocument.createElement(name);
  for (const { name, value } of element.attributes) other.setAttribute(name, value);
  other.append(...element.childNodes);
  element.replaceWith(other);
  return other;
}

export function wordsOf(element: Element): string {
  return element.textContent.replace(/[\s\u200b]+/g, " ").trim();
}
