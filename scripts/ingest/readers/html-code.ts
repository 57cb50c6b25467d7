// Code in a page: its language, and its lines without numbers.

import { LANGUAGES } from "./code-languages.ts";

const LANGUAGE = /(?:^|\s)(?:lang(?:uage)?-|highlight-(?:source-)?|brush:\s*)([\w+#.-]+)/i;
/** Classes that are the name of a language alone. */
const NAMES = new RegExp(`(?:^|\\s)(${LANGUAGES.join("|")})(?=\\s|$)`);
const NO_LANGUAGE = /^(?:text|plain|plaintext|none|notranslate|default)$/i;
const LABELS =
  "[class*=language-] > .lang, [class*=highlight] > .lang, .code-example .language-name, .line-numbers-wrapper";
const NUMBERS =
  "button, .line-number, .line-numbers, .linenos, .lineno, .lnt, .line-numbers-rows, .hljs-ln-numbers";

/** Tables of line numbers and code become the code. */
export function prepareCode(root: Element): void {
  for (const label of root.querySelectorAll(LABELS)) label.remove();
  for (const gutter of root.querySelectorAll("td.linenos, td.gutter, td.rouge-gutter, td.lntd")) {
    const table = gutter.closest("table");
    const codes = [...(table?.querySelectorAll("td pre") ?? [])];
    const code = codes.find((pre) => !gutter.contains(pre));
    if (code !== undefined) table?.replaceWith(code);
  }
  for (const pre of root.querySelectorAll("pre")) preparePre(pre);
}

function preparePre(pre: Element): void {
  const code = pre.querySelector("code");
  const language = languageOf(pre, code);
  for (const extra of pre.querySelectorAll(NUMBERS)) extra.remove();
  for (const end of pre.querySelectorAll("br")) end.replaceWith("\n");
  const text = linesOf(code ?? pre);
  pre.textContent = text.replace(/\n+$/, "").replace(/^\n+/, "");
  pre.setAttribute("data-language", NO_LANGUAGE.test(language) ? "" : language);
}

function languageOf(pre: Element, code: Element | null): string {
  let around: Element | null = code ?? pre;
  for (let up = 0; up < 5 && around !== null; up += 1) {
    const named =
      around.getAttribute("data-language") ??
      around.getAttribute("data-lang") ??
      around.getAttribute("language") ??
      LANGUAGE.exec(around.getAttribute("class") ?? "")?.[1] ??
      LANGUAGE.exec(around.getAttribute("data-syntaxhighlighter-params") ?? "")?.[1];
    if (named !== undefined && named !== "") return named;
    around = around.parentElement;
  }
  return NAMES.exec(pre.getAttribute("class") ?? "")?.[1] ?? "";
}

/** Some themes draw each line as an element, without a line end. */
function linesOf(code: Element): string {
  const text = code.textContent;
  const lines = [...code.children];
  const areLines =
    lines.length > 1 &&
    !text.trimEnd().includes("\n") &&
    lines.every((line) => line.localName === "div" || /(?:^|\s|-)line/.test(line.className));
  return areLines ? lines.map((line) => line.textContent).join("\n") : text;
}
