// Front matter: fields for other programs before a Markdown text. YAML is
// between lines of three hyphens (or ends in three dots), TOML between three
// plus signs, JSON between its braces. Only the title is read, and whether
// the text is a draft. YAML libraries refuse titles that
// people write, such as `title: A: b`, and some take quadratic time. Pure.

interface FrontMatter {
  /** The value of the field `title`. */
  readonly title: string | undefined;
  /** Undefined if it is to be published. */
  readonly isDraft?: true | undefined;
  /** The text after front matter and byte order mark. */
  readonly text: string;
}

const YAML = /^\ufeff?---[ \t]*\r?\n([\s\S]*?)(?<=\n)(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/;
const TOML = /^\ufeff?\+\+\+[ \t]*\r?\n([\s\S]*?)(?<=\n)\+\+\+[ \t]*(?:\r?\n|$)/;
/**
 * The first line that is not empty must be a field or a
 * comment. Otherwise the hyphens are a thematic break.
 */
const FIELD_FIRST = /^\s*(?:["']?[\p{L}\p{M}\p{N}_.$-]+["']?[ \t]*[:=]|#|\[[^\]\n]+\]|$)/u;

/** An object whose braces begin and end lines. */
const JSON_OBJECT = /^\ufeff?(\{[ \t]*\r?\n[\s\S]*?\n\})[ \t]*(?:\r?\n|$)/;

const BYTE_ORDER_MARK = /^\ufeff(?:[ \t]*\r?\n)*/;
const EMPTY_LINES = /^(?:[ \t]*\r?\n)+/;

const YAML_TITLE = /^(?:title|"title"|'title')[ \t]*:/im;
const TOML_TITLE = /^[ \t]*(?:title|"title"|'title')[ \t]*=/im;
const YAML_DRAFT =
  /^(?:draft[ \t]*:[ \t]*(?:true|yes|on)|published[ \t]*:[ \t]*(?:false|no|off))\b/im;
const TOML_DRAFT = /^[ \t]*draft[ \t]*=[ \t]*true\b/im;
const TOML_TABLE = /^[ \t]*\[/m;
/** The rest of the line, and indented or empty lines after it. */
const VALUE = /^[^\n]*(?:\n(?:[ \t][^\n]*|\r?(?=\n)))*/;

/** The longest title that is read, in UTF-16 units. */
const VALUE_LENGTH_MAX = 4_000;

export function frontMatter(source: string): FrontMatter {
  const yaml = YAML.exec(source);
  const [block = "", fields = ""] = yaml ?? TOML.exec(source) ?? [];
  if (block === "" || !FIELD_FIRST.test(fields)) {
    return jsonMatter(source) ?? { title: undefined, text: source.replace(BYTE_ORDER_MARK, "") };
  }
  const title = yaml === null ? tomlTitle(fields) : yamlTitle(fields);
  const isDraft = yaml === null ? TOML_DRAFT.test(ownFields(fields)) : YAML_DRAFT.test(fields);
  return matter(title, isDraft, source.slice(block.length));
}

function matter(title: string | undefined, isDraft: boolean, text: string): FrontMatter {
  return {
    title: title?.replace(/\s+/g, " ").trim() || undefined,
    isDraft: isDraft || undefined,
    text: text.replace(EMPTY_LINES, ""),
  };
}

function jsonMatter(source: string): FrontMatter | undefined {
  const [block = "", object = ""] = JSON_OBJECT.exec(source) ?? [];
  if (block === "") return undefined;
  try {
    const { title, draft }: { title?: unknown; draft?: unknown } = JSON.parse(object);
    // A file of JSON is no front matter of an empty text.
    if (source.length === block.length) return undefined;
    const isText = typeof title === "string";
    return matter(isText ? title : undefined, draft === true, source.slice(block.length));
  } catch {
    return undefined;
  }
}

/** Those before the first table. */
function ownFields(fields: string): string {
  return fields.split(TOML_TABLE, 1)[0] ?? "";
}

function yamlTitle(fields: string): string | undefined {
  const [lines = ""] = VALUE.exec(after(fields, YAML_TITLE)) ?? [];
  const value = lines.trim();
  // A block scalar: `>` or `|`, indentation and chomping, then its lines.
  const [header = ""] = /^[>|][-+\d]*[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/.exec(value) ?? [];
  if (header !== "") return value.slice(header.length);
  const title = quoted(value) ?? withoutComment(value);
  return /^(?:~|null)$/i.test(title) ? undefined : title;
}

function tomlTitle(fields: string): string | undefined {
  const value = after(ownFields(fields), TOML_TITLE).trimStart();
  const [, long] = /^(?:"""|''')([\s\S]*?)(?:"""|''')/.exec(value) ?? [];
  const [line = ""] = value.split("\n", 1);
  return long ?? quoted(line) ?? withoutComment(line);
}

function after(fields: string, name: RegExp): string {
  const found = name.exec(fields);
  if (found === null) return "";
  const from = found.index + found[0].length;
  return fields.slice(from, from + VALUE_LENGTH_MAX);
}

/** The text between quotation marks. */
function quoted(value: string): string | undefined {
  const double = /^"((?:[^"\\]|\\[\s\S])*)"/.exec(value)?.[1];
  if (double !== undefined) return double.replace(/\\(u[\da-f]{4}|[\s\S])/gi, unescaped);
  return /^'((?:[^']|'')*)'/.exec(value)?.[1]?.replaceAll("''", "'");
}

function unescaped(_: string, code: string): string {
  if (/^u./i.test(code)) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
  return /["\\/]/.test(code) ? code : " ";
}

function withoutComment(value: string): string {
  return value.replace(/(?:^|[ \t])#[^\n]*/g, "");
}
