// Tags that are no HTML: of components, as in MDX and Vue, and of
// templates, as in Jekyll, Hugo and GitBook. A site generator replaces
// them; a reader sees what is between them, and some attributes. Pure.

import { CodeSpans } from "../text/code-spans.ts";
import { decoded } from "./entities.ts";
import { lose, MARKS_MAX, type Work } from "./work.ts";

/** A component's tag: `<TabItem label="npm">`, `</TabItem>`, `<Badge/>`. */
export interface Component {
  readonly kind: "open" | "close" | "empty";
  readonly end: number;
  /** What a reader sees of its attributes. */
  readonly labels: readonly string[];
}

/** In UTF-16 units. Longer tags are text. */
const TAG_MAX = 2_000;

/** Names that begin in upper case, except `<BR>` and `<API_KEY>`. */
const COMPONENT = /<(\/?)(?:(?=[\w.]*[a-z])[A-Z][\w.]*)?(?=[\s/>])/y;

/** Components whose title shows under the pointer only. */
const TOOLTIPS = /(?:link|button|icon|image|img|video|iframe)$/i;
const TITLE = /(?<![\w-])title\s*=/gi;

export function component(text: string, at: number, work: Work): Component | undefined {
  if (work.marks > MARKS_MAX) return undefined;
  COMPONENT.lastIndex = at;
  const name = COMPONENT.exec(text);
  if (name === null) return undefined;
  const from = COMPONENT.lastIndex;
  // A fragment, `<>`, has no attributes.
  if (/[</]$/.test(name[0]) && text[from] !== ">") return undefined;
  const read = text.slice(from, at + TAG_MAX);
  const length = attributesLength(read);
  if (length === undefined) return lose(work, from - at + read.length);
  const to = from + length;
  const kind = name[1] === "/" ? "close" : text[to - 1] === "/" ? "empty" : "open";
  const attributes = text.slice(from, to);
  const labels = labelsOf(TOOLTIPS.test(name[0]) ? attributes.replace(TITLE, "") : attributes);
  return { kind, end: to + 1, labels };
}

/** The length up to the `>` outside quotation marks and braces. */
function attributesLength(text: string): number | undefined {
  let depth = 0;
  /** A comment that begins later never ends. */
  const commentMax = text.lastIndexOf("*/") - 2;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"' || char === "'" || char === "`") {
      const end = text.indexOf(char, at + 1);
      if (end !== -1) at = end;
    } else if (depth > 0 && at <= commentMax && text.startsWith("/*", at)) {
      at = text.indexOf("*/", at + 2) + 1;
    } else if (char === "{") depth += 1;
    else if (char === "}") depth -= 1;
    else if (depth > 0) continue;
    else if (char === ">") return at;
    else if (char === "<" || (char === "\n" && text[at + 1] === "\n")) return undefined;
  }
  return undefined;
}

const LABELS =
  /(?<![\w-])(?:title|label|text|header|heading|summary|caption|content|description|alt|alt-text)\s*=\s*(?:\{\s*)?(?:"([^"]*)"|'([^']*)'|`([^`]*)`)/gi;
const NAME = /(?<![\w-])name\s*=\s*(?:"([^"]*)"|'([^']*)')/i;
const NESTED = /\{\{|\}\}|\$\{/;

/** The attributes that are shown, as `title="A"` and `label={'B'}`. */
export function labelsOf(attributes: string): string[] {
  return Array.from(attributes.matchAll(LABELS), stringOf).filter(isLabel);
}

function stringOf([, double, single, template]: readonly (string | undefined)[]): string {
  return decoded(double ?? single ?? template ?? "").trim();
}

function isLabel(text: string): boolean {
  return text !== "" && !NESTED.test(text);
}

/** `{% tag %}`, `{{< tag >}}`, `{{% tag %}}`, `{# comment #}` and others. */
const TEMPLATE_OPENING = /\{%|\{\{[<%#/]|\{#(?=\s)/y;
const CLOSINGS: Readonly<Record<string, string>> = {
  ...{ "{%": "%}", "{{<": ">}}", "{{%": "%}}", "{{#": "}}", "{{/": "}}", "{#": "#}" },
};

export interface TemplateTag {
  readonly end: number;
  /** In lower case; empty of a comment and of a closing tag. */
  readonly name: string;
  readonly labels: readonly string[];
  /** What is between the marks. */
  readonly content: string;
}

/** The names of the template tags that are closed in a text. */
export function closedNames(text: string): ReadonlySet<string> {
  const found = text.matchAll(/\{(?:%-?|\{[<%])[ \t]{0,9}(?:\/[ \t]{0,9}|end)([a-z][\w-]*)/gi);
  return new Set(Array.from(found, ([, name = ""]) => name.toLowerCase()));
}

/** The names of the elements that are closed in a text. */
export function closedElements(text: string): ReadonlySet<string> {
  const found = text.matchAll(/<\/([a-z][\w.:-]*)/gi);
  return new Set(Array.from(found, ([, name = ""]) => name.toLowerCase()));
}

/** Elements that need no end. */
const ENDLESS =
  /^(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr|p|li|d[dt]|option|rp|rt|t[dhr]|tbody|tfoot|thead|colgroup|body|html|head|nobr)$/;

/** Whether a tag is none, as in "Put `<name>` here" without its backticks. */
export function isPlaceholder(tag: string, work: Work): boolean {
  const [, name = ""] = /^<([a-z][\w.:-]*)>$/i.exec(tag) ?? [];
  const lower = name.toLowerCase();
  return name !== "" && !ENDLESS.test(lower) && !work.closedElements.has(lower);
}

export function templateTag(text: string, at: number, work: Work): TemplateTag | undefined {
  if (work.marks > MARKS_MAX) return undefined;
  TEMPLATE_OPENING.lastIndex = at;
  const [opening] = TEMPLATE_OPENING.exec(text) ?? [];
  if (opening === undefined) return undefined;
  const from = at + opening.length;
  const read = text.slice(from, from + TAG_MAX);
  const closing = CLOSINGS[opening] ?? "";
  const length = read.indexOf(closing);
  if (length === -1) return lose(work, read.length);
  const content = read.slice(0, length);
  // `{{</* ref */>}}` shows a tag.
  if (opening.length === 3 && /[<%]$/.test(opening) && content.startsWith("/*")) return undefined;
  if (!/^[-\s]*[/#%]?[\s!]*(?:[\w"'@*]|$)/.test(content)) return undefined;
  const [, word = ""] = /^[-\s]*(?!end)([a-z][\w.-]*)/i.exec(content) ?? [];
  const name = opening.endsWith("#") || opening.endsWith("/") ? "" : word.toLowerCase();
  const end = from + length + closing.length;
  return { end, name, labels: templateLabels(name, content, work.closed), content };
}

function templateLabels(name: string, content: string, closed: ReadonlySet<string>): string[] {
  const labels = labelsOf(content);
  if (/tab/.test(name)) labels.push(...[NAME.exec(content) ?? []].map(stringOf).filter(isLabel));
  if (labels.length > 0 || !closed.has(name) || /tabs|pane|code|light/.test(name)) return labels;
  // The first string without a name: `{{< tab "Linux" >}}`.
  const [, string = ""] = /^[^"=]*\s"([^"]*)"/.exec(content) ?? [];
  return isLabel(string) ? [string] : [];
}

const SPANS_OR_TAGS = /`+|\{[%{#]/g;
/** An address that a template makes. */
const MADE_ADDRESS =
  /(\]\(|(?:href|src)=["'])[^()\s"'<>{}]{0,300}\{\{[^{}<>]{0,300}\}\}[^()\s<>{}]{0,300}(?=\)|["'][\s>/])/g;
const SHOWN_TAG = /\{\{([<%])\/\*([^*{}]{0,300})\*\/([<>%])\}\}/g;
const ICON = /:(?:octicons|material|fontawesome|simple)-[a-z\d-]{1,80}:(?:\{[^{}]{0,200}\})?/g;

/** Tags for a value that only the generator knows, and what shows there. */
const VALUE = /^(?:params?|vars?|variables?|data|version|site-?param|get-?param)$/;
const GAP = "…";

/** Without template tags and icons, except in code. */
export function withoutTemplateTags(text: string, work: Work): string {
  if (!/\{[%{#]|:[a-z]+-/.test(text)) return text;
  const spans = new CodeSpans(text);
  let shown = "";
  let prose = "";
  let from = 0;
  const close = (code: string) => {
    shown += prose.replace(MADE_ADDRESS, "$1").replace(SHOWN_TAG, "{{$1$2$3}}").replace(ICON, "");
    shown += code;
    prose = "";
  };
  for (const { 0: mark, index } of text.matchAll(SPANS_OR_TAGS)) {
    if (index < from) continue;
    if (mark.startsWith("`")) {
      const end = spans.closing(mark.length, index + mark.length) ?? index;
      prose += text.slice(from, index);
      from = end + mark.length;
      close(text.slice(index, from));
      continue;
    }
    const tag = templateTag(text, index, work);
    if (tag === undefined) continue;
    prose += text.slice(from, index);
    from = tag.end;
    // `text`, not `prose`: V8 copies a string that was added to when its characters are read.
    const isAddress = /\]\($|=["']$/.test(text.slice(Math.max(0, index - 2), index));
    if (isAddress) continue;
    if (tag.labels.length > 0) prose += ` ${tag.labels.join(" ")} `;
    else if (VALUE.test(tag.name)) prose += GAP;
  }
  prose += text.slice(from);
  close("");
  return shown;
}
