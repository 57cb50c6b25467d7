// Lines that a site generator reads, and Markdown does not: the first and last
// lines of containers and tabs, tags, attribute lists, tables of contents,
// modules. They are taken off, and what they hold stays. A title in them
// becomes a paragraph, an id an anchor. A rule for markdown-it.

import type { StateBlock } from "markdown-it";
import { openingFence } from "../text/code-fence.ts";
import { attributesOf } from "./attributes.ts";
import { component, labelsOf, templateTag } from "./tags.ts";
import { idOf } from "./visible-text.ts";
import type { Work } from "./work.ts";

/** A run of such lines. */
interface Marker {
  /** The number of lines. */
  readonly lines: number;
  /** Titles of what follows. */
  readonly labels?: readonly string[];
  /** What else a reader sees of them. */
  readonly texts?: readonly string[];
  readonly id?: string | undefined;
  /** Whether what is in it is indented, and by how many columns at most. */
  readonly body?: number;
  readonly code?: { readonly language: string; readonly from: number; readonly to: number };
  /** Components that it opens, less those that it closes. */
  readonly components?: number;
  readonly tabs?: boolean;
  /** Elements with Markdown inside, as `components`. */
  readonly elements?: number;
}

/** Where a marker may be. */
interface Place {
  readonly state: StateBlock;
  readonly work: Work;
  readonly line: number;
  readonly endLine: number;
  /** The line without its indentation. */
  readonly text: string;
  /** Its offset. */
  readonly at: number;
}

type Read = (place: Place) => Marker | undefined;

const READS: Readonly<Record<string, Read>> = {
  ":": colons,
  "{": braces,
  "[": brackets,
  "<": angles,
  "!": admonition,
  "?": admonition,
  "=": tab,
  "@": atSign,
  "/": slashes,
  "(": target,
  i: modules,
  e: modules,
  "-": hyphens,
  "*": contents,
  "1": contents,
  $: contents,
};

const CODE_INDENT = 4;
/** In UTF-16 units. Only tags may be in longer lines. */
const LENGTH_MAX = 1_000;
/** Lines that a tag, a module or the options of a container may have. */
const LINES_MAX = 40;

export function siteLine(
  state: StateBlock,
  line: number,
  endLine: number,
  silent: boolean,
): boolean {
  const at = (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0);
  const read = READS[state.src[at] ?? ""];
  if (read === undefined || (silent && read === modules)) return false;
  const work = state.env as Work;
  const isCode = (state.sCount[line] ?? 0) - state.blkIndent >= CODE_INDENT;
  if (isCode && (work.components === 0 || state.src[at] !== "<")) return false;
  const text = state.src.slice(at, state.eMarks[line]).trimEnd();
  if (text.length > LENGTH_MAX && !/^[<{]/.test(text)) return false;
  const marker = read({ state, work, line, endLine, text, at });
  if (marker === undefined) return false;
  if (silent) return true;
  take(state, line, endLine, marker);
  return true;
}

function take(state: StateBlock, line: number, endLine: number, marker: Marker): void {
  const work = state.env as Work;
  work.components = Math.max(0, work.components + (marker.components ?? 0));
  work.elements = Math.max(0, work.elements + (marker.elements ?? 0));
  work.tabs ||= marker.tabs ?? false;
  const next = line + marker.lines;
  if (marker.id !== undefined) state.push("anchor", "", 0).content = marker.id;
  for (const label of marker.labels ?? []) pushText(state, "label", label);
  for (const text of marker.texts ?? []) pushText(state, "paragraph", text);
  work.labels ||= (marker.labels ?? []).length > 0;
  if (marker.code !== undefined) {
    const { language, from, to } = marker.code;
    const fence = state.push("fence", "code", 0);
    fence.info = language;
    fence.content = state.getLines(from, to, state.sCount[line] ?? 0, true);
  }
  state.line = next;
  if (marker.body !== undefined) readBody(state, line, endLine, next, marker.body);
}

function pushText(state: StateBlock, type: "label" | "paragraph", text: string): void {
  state.push(`${type}_open`, "", 1);
  state.push("inline", "", 0).content = text;
  state.push(`${type}_close`, "", -1);
}

/** Reads the lines that are indented more than the marker. */
function readBody(
  state: StateBlock,
  line: number,
  endLine: number,
  next: number,
  columns: number,
): void {
  const first = state.skipEmptyLines(next);
  const own = state.sCount[line] ?? 0;
  const indent = Math.min(state.sCount[first] ?? 0, own + columns);
  if (first >= endLine || indent <= own) return;
  const before = state.blkIndent;
  state.push("body_open", "", 1);
  state.blkIndent = indent;
  state.md.block.tokenize(state, first, endLine);
  state.blkIndent = before;
  state.push("body_close", "", -1);
}

function lineAt({ state }: Place, line: number): string {
  const at = (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0);
  return state.src.slice(at, state.eMarks[line]).trimEnd();
}

/** The number of lines from a place to an offset in the text. */
function linesTo({ state, line, endLine }: Place, offset: number): number {
  let last = line;
  while (last + 1 < endLine && (state.eMarks[last] ?? 0) < offset) last += 1;
  return last - line + 1;
}

/**
 * `:::tip Title`, `:::`, `::: {.note}`, `::video[Title]{#a}`,
 * `:::image alt-text="a":::`.
 */
function colons(place: Place): Marker | undefined {
  const { text } = place;
  const leaf = /^::[a-z][\w-]*(?:\[([^\]]*)\]|(?=\{))(?:\{[^{}]*\})?$/i.exec(text);
  if (leaf !== null) return { lines: 1, texts: filled([leaf[1] ?? ""]) };
  const [opening, rest = ""] = /^:{3,}[ \t]*(?=[\p{L}{[]|$)(.*)$/u.exec(text) ?? [];
  if (opening === undefined) return undefined;
  const head = rest.replace(/(?<!:):{3,}$/, "");
  const { name, title } = containerHead(head);
  if (head.length < rest.length) return { lines: 1, texts: filled(title) };
  const options = rest.startsWith("{") ? optionLines(place, /^:[\w-]+:/) : 0;
  return { lines: 1 + options, labels: filled(title), tabs: name === "tabs" };
}

/** Kinds of containers that begin with a file or a language. */
const OTHER_ARGUMENT = /^(?:code|literalinclude|include|image|figure|math|toctree|moniker|zone)/;

/** A container's kind and title. */
export function containerHead(head: string): { name: string; title: string[] } {
  const [found, bare = "", braced = ""] = /^(?:([\p{L}\p{N}_-]+)|\{([\w:.-]+)\}|)[ \t]*/u.exec(
    head,
  ) ?? [""];
  const rest = head.slice(found.length);
  const attributes = rest.replace(/\{|\}/g, " ");
  const label = labelsOf(attributes);
  const name = bare || braced;
  const plain = rest
    .replace(/\{[^{}]*\}/g, " ")
    .replace(/(?<![\w-])[\w-]+=(?:"[^"]*"|'[^']*'|\S+)/g, " ")
    .trim()
    .replace(/^\[([^\]]*)\]$/, "$1");
  const isTitle = plain !== "" && !OTHER_ARGUMENT.test(name);
  return { name, title: isTitle ? [plain, ...label] : label };
}

function optionLines(place: Place, pattern: RegExp): number {
  let count = 0;
  while (
    count < LINES_MAX &&
    place.line + count + 1 < place.endLine &&
    pattern.test(lineAt(place, place.line + count + 1))
  ) {
    count += 1;
  }
  return count;
}

function filled(labels: readonly string[]): string[] {
  return labels.map((label) => label.trim()).filter((label) => label !== "");
}

/** Template tags, comments of MDX, and the attributes of the block before. */
function braces(place: Place): Marker | undefined {
  const { state, work, text, at, line, endLine } = place;
  const list = attributesOf(text);
  if (list !== undefined) return { lines: 1, id: list.id };
  // Extensions of Kramdown, such as `{::options toc_levels="2" /}`.
  if (/^\{:[:/][^{}]*\}$/.test(text)) return { lines: 1 };
  if (text.startsWith("{/*")) {
    const end = state.src.slice(at, at + 2_000).indexOf("*/}");
    const lines = linesTo(place, at + end);
    const isAlone = end !== -1 && (state.eMarks[line + lines - 1] ?? 0) <= at + end + 3;
    return isAlone ? { lines } : undefined;
  }
  const labels: string[] = [];
  const texts: string[] = [];
  let end = at;
  for (;;) {
    while (state.src[end] === " " || state.src[end] === "\t") end += 1;
    const tag = templateTag(state.src, end, work);
    if (tag === undefined) break;
    end = tag.end;
    (work.closed.has(tag.name) ? labels : texts).push(...tag.labels);
    const from = line + linesTo(place, end);
    const isCode = CODE.test(tag.name) && !holdsFence(place, from);
    const isHidden = tag.name === "comment";
    if (!isCode && !isHidden) continue;
    const to = closingLine(place, from, tag.name);
    if (to === undefined) continue;
    const lines = to - line + 1;
    if (isHidden) return { lines };
    const [, language = ""] =
      /^\W*\w+\s+(?:lang[:=])?["']?([\w+#.-]+)(?![\w+#.-]|\s*=)/.exec(tag.content) ?? [];
    return { lines, code: { language, from, to } };
  }
  const lines = linesTo(place, end);
  if (end === at || line + lines > endLine) return undefined;
  const isAlone = state.src.slice(end, state.eMarks[line + lines - 1]).trim() === "";
  return isAlone ? { lines, labels, texts } : undefined;
}

const CODE = /^(?:highlight|prism|code|codeblock|code-toggle)$/;

function holdsFence(place: Place, from: number): boolean {
  const first = place.state.skipEmptyLines(from);
  return first < place.endLine && openingFence(lineAt(place, first)) !== undefined;
}

/** The line that closes a template tag. */
function closingLine(place: Place, from: number, name: string): number | undefined {
  const { work, endLine } = place;
  if (!work.closed.has(name)) return undefined;
  for (let line = from; line < endLine; line += 1) {
    work.steps += 1;
    const text = lineAt(place, line);
    if (/^\{(?:%|\{[<%])-?[ \t]*(?:end|\/[ \t]*)/.test(text) && text.includes(name)) return line;
  }
  return undefined;
}

/** `[[toc]]`, `[TOC]`, `[!NOTE] Title` in a quote. */
function brackets(place: Place): Marker | undefined {
  const { text, state } = place;
  if (/^(?:\[\[_?toc_?\]\]|\[_?toc_?\])$/i.test(text)) return { lines: 1 };
  const [alert, title = ""] =
    /^\[![a-z][\w-]*(?:[ \t|:][^\]]*)?\][+-]?(?:[ \t]+(.*))?$/i.exec(text) ?? [];
  if (alert !== undefined && state.parentType === "blockquote") {
    const open = state.tokens.at(-1);
    // Its author speaks, so the text is no quotation.
    if (open?.type === "blockquote_open") open.type = "alert_open";
    return { lines: 1, labels: filled([title]) };
  }
  return /^\[!(?:include|video|code)\b.*\]$|^\[!code-\w+\[/i.test(text) ? { lines: 1 } : undefined;
}

/** Tags of components, elements with `markdown`, `<<< @/file`. */
function angles(place: Place): Marker | undefined {
  const { state, work, text, at, line, endLine } = place;
  if (/^<<<[ \t]+\S/.test(text)) return { lines: 1 };
  const wraps = line + 1 < endLine && /^#{1,6}[ \t]+\S/.test(lineAt(place, line + 1));
  const elements = elementsOf(text, work.elements > 0 || wraps);
  if (elements !== undefined) {
    return { lines: 1, elements, id: wraps ? idOf(text) : undefined, ...bodyOf(elements) };
  }
  const labels: string[] = [];
  const texts: string[] = [];
  let end = at;
  let components = 0;
  for (;;) {
    while (state.src[end] === " " || state.src[end] === "\t") end += 1;
    const tag = component(state.src, end, work);
    if (tag === undefined) break;
    end = tag.end;
    if (tag.kind !== "empty") components += tag.kind === "open" ? 1 : -1;
    (tag.kind === "empty" ? texts : labels).push(...tag.labels);
  }
  if (end === at) return undefined;
  const lines = linesTo(place, end);
  const isAlone = state.src.slice(end, state.eMarks[line + lines - 1]).trim() === "";
  if (!isAlone || line + lines > endLine) return undefined;
  return { lines, labels, texts, components, ...bodyOf(components) };
}

/** What is in an element may be indented by any number of columns. */
function bodyOf(opened: number): Pick<Marker, "body"> {
  return opened > 0 ? { body: Number.POSITIVE_INFINITY } : {};
}

const HAS_MARKDOWN =
  /^<[a-z][a-z\d]*[ \t](?=(?:[^<>]*[ \t])?markdown(?:=["']?\w+["']?)?[ \t>])[^<>]*>$/;
const ONLY_TAGS = /^(?:<\/?(?!img\b|input\b)[a-z][^<>]*>[ \t]*)+$/;

/** Elements that a line opens with Markdown inside, less those it closes. */
function elementsOf(text: string, areOpen: boolean): number | undefined {
  if (HAS_MARKDOWN.test(text)) return 1;
  if (!areOpen || !ONLY_TAGS.test(text)) return undefined;
  const closed = text.match(/<\//g)?.length ?? 0;
  const endless = text.match(/<(?:br|hr|wbr)\b|\/>/g)?.length ?? 0;
  return (text.match(/</g)?.length ?? 0) - 2 * closed - endless;
}

/** `!!! note "Title"` and `??? note` with an indented body, `!> text`. */
function admonition(place: Place): Marker | undefined {
  const { text } = place;
  const [opening, title] =
    /^(?:!!!|\?\?\?\+?)[ \t]*[a-z][\w-]*(?:[ \t]+[a-z][\w-]*){0,4}(?:[ \t]+["“](.*)["”])?$/i.exec(
      text,
    ) ?? [];
  if (opening === undefined) return undefined;
  if (title === undefined && !hasBody(place) && /[ \t].*[ \t]/.test(text)) return undefined;
  return titled(place, title ?? "");
}

function hasBody({ state, line, endLine }: Place): boolean {
  const next = state.skipEmptyLines(line + 1);
  return next < endLine && (state.sCount[next] ?? 0) - (state.sCount[line] ?? 0) >= CODE_INDENT;
}

function titled(place: Place, title: string): Marker {
  const texts = filled([title]);
  return hasBody(place) ? { lines: 1, labels: texts, body: CODE_INDENT } : { lines: 1, texts };
}

/** `=== "Tab"` with an indented body, `== Tab` among tabs. */
function tab(place: Place): Marker | undefined {
  const { text, work } = place;
  const [pane, title = ""] = /^===[!+]{0,2}[ \t]*["'“](.*)["'”]$/.exec(text) ?? [];
  if (pane !== undefined) return titled(place, title);
  const [other, name = ""] = /^==[ \t]+([^=]+)$/.exec(work.tabs ? text : "") ?? [];
  return other === undefined ? undefined : { lines: 1, labels: filled([name]) };
}

/** `@tab npm` among tabs, `@[toc]`. */
function atSign({ text, work }: Place): Marker | undefined {
  if (/^@\[toc\]/i.test(text)) return { lines: 1 };
  const [found, name = ""] = /^@tab(?::\w+)?[ \t]+(.*)$/.exec(work.tabs ? text : "") ?? [];
  return found === undefined ? undefined : { lines: 1, labels: filled([name]) };
}

/** `/// note | Title` and options of it, `///`. */
function slashes(place: Place): Marker | undefined {
  const [found, name = "", title = ""] =
    /^\/{3,}(?:[ \t]*([a-z][\w-]*)(?:[ \t]*\|[ \t]*(.*))?)?$/i.exec(place.text) ?? [];
  if (found === undefined) return undefined;
  const options = name === "" ? 0 : optionLines(place, /^(?:attrs|open|new|select|type):[ \t]/);
  return { lines: 1 + options, labels: filled([title]) };
}

/** `(name)=` before a heading. */
function target({ text }: Place): Marker | undefined {
  const [found, id] = /^\(([^\s()]+)\)=$/.exec(text) ?? [];
  return found === undefined ? undefined : { lines: 1, id };
}

const IMPORT =
  /^import\s+(?=\S)(?:type\s+(?=\S))?(?:[\w$*{},\s]+\sfrom\s*|\{[^{}]*\}\s*from\s*)?(["'])[^"'\n]+\1\s*;?$/;
const EXPORT =
  /^export\s+(?:default\b|(?:const|let|var|function|async|class|type|interface)\s|[{*])/;

/** The modules of MDX: `import A from "b"`, `export const c = {...}`. */
function modules(place: Place): Marker | undefined {
  const { state, line, endLine, text, work } = place;
  if (state.level > 0 || (state.sCount[line] ?? 0) > 0) return undefined;
  const isImport = /^import\b/.test(text);
  if (!isImport && !(work.isMdx && EXPORT.test(text))) return undefined;
  let lines = 1;
  let statement = text;
  let open = balance(text);
  while (open > 0 && lines < LINES_MAX && line + lines < endLine) {
    const next = lineAt(place, line + lines);
    if (isImport) statement += `\n${next}`;
    open += balance(next);
    lines += 1;
  }
  const isWhole = isImport ? IMPORT.test(statement) : open <= 0;
  work.isMdx ||= isImport && isWhole;
  if (isWhole) return { lines };
  work.steps += lines;
  return undefined;
}

/** Opening brackets less closing ones. */
function balance(code: string): number {
  const opening = code.match(/[([{]/g)?.length ?? 0;
  return opening - (code.match(/[)\]}]/g)?.length ?? 0);
}

/** `--8<-- "file"`, and what `contents` reads. */
function hyphens(place: Place): Marker | undefined {
  return /^-+8<-+(?:[ \t]|$)/.test(place.text) ? { lines: 1 } : contents(place);
}

/** `* TOC` with `{:toc}` below it, `${toc}`. */
function contents(place: Place): Marker | undefined {
  if (/^\$\{toc\}$/i.test(place.text)) return { lines: 1 };
  if (!/^(?:[-*]|1\.)[ \t]/.test(place.text) || place.line + 1 >= place.endLine) return undefined;
  const isList = /^\{:[ \t]*toc\b[^{}]*\}$/i.test(lineAt(place, place.line + 1));
  return isList ? { lines: 2 } : undefined;
}
