// Attribute lists after Markdown: `{#id}`, `{: .class }`, `{target=_blank}`.
// Kramdown, Python-Markdown, Pandoc and others read them. Pure.

export interface AttributeList {
  readonly id: string | undefined;
}

/** In UTF-16 units. A longer list is text. */
const LENGTH_MAX = 500;
const ITEM = /^(?:#[^\s#.{}]\S*|\.[\p{L}_-][\w:.-]*|[\w:-]+=\S*)$/u;
/** Words that Kramdown reads without a sign. */
const WORD = /^(?:toc|no_toc|unnumbered|-)$/;

/** The list that a text is, if it is one. */
export function attributesOf(text: string): AttributeList | undefined {
  if (text.length > LENGTH_MAX) return undefined;
  const comment = /^\{\/\*\s*#(\S+)\s*\*\/\}$/.exec(text);
  if (comment !== null) return { id: comment[1] };
  const [, list = ""] = /^\\?\{:?([^{}]*)\}$/.exec(text) ?? [];
  const items = list.replace(/="[^"]*"|='[^']*'/g, quoted).match(/\S+/g) ?? [];
  const isList = items.length > 0 && items.every((item) => ITEM.test(item) || WORD.test(item));
  if (!isList || items.every((item) => item === "-")) return undefined;
  const marked = items.find((item) => item.startsWith("#"))?.slice(1);
  return { id: marked ?? /(?<![\w-])id=["']?([^\s"']+)/.exec(list)?.[1] };
}

function quoted(value: string): string {
  return value.replace(/\s+/g, "_");
}

export interface Marked {
  readonly text: string;
  readonly id: string | undefined;
}

/** A heading's text without the attribute list at its end. */
export function withoutAttributes(heading: string): Marked {
  const whole = { text: heading, id: undefined };
  const end = heading.trimEnd();
  if (!end.endsWith("}")) return whole;
  const open = end.lastIndexOf("{");
  const from = end[open - 1] === "\\" ? open - 1 : open;
  const list = end.slice(from).replace(/^\{%\s*(#[^\s%]+)\s*%\}$/, "{$1}");
  const attributes = attributesOf(list);
  if (open === -1 || attributes === undefined) return whole;
  // Closing hashes come before the list.
  const text = heading
    .slice(0, from)
    .trimEnd()
    .replace(/(?:^|[ \t])#+$/, "");
  return { text: text.trimEnd(), id: attributes.id };
}
