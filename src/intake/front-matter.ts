// Front matter: fields for other programs before a Markdown text. YAML is
// between lines of three hyphens (or ends in three dots), TOML between three
// plus signs. Only the title is read. YAML libraries refuse titles that
// people write, such as `title: A: b`, and some take quadratic time. Pure.

interface FrontMatter {
  /** The value of the field `title`. */
  readonly title: string | undefined;
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

const BYTE_ORDER_MARK = /^\ufeff(?:[ \t]*\r?\n)*/;
const EMPTY_LINES = /^(?:[ \t]*\r?\n)+/;

const YAML_TITLE = /^(?:title|"title"|'title')[ \t]*:/im;
const TOML_TITLE = /^[ \t]*(?:title|"title"|'title')[ \t]*=/im;
const TOML_TABLE = /^[ \t]*\[/m;
/** The rest of the line, and indented or empty lines after it. */
const VALUE = /^[^\n]*(?:\n(?:[ \t][^\n]*|\r?(?=\n)))*/;

/** The longest title that is read, in UTF-16 units. */
const VALUE_LENGTH_MAX = 4_000;

export function frontMatter(source: string): FrontMatter {
  const yaml = YAML.exec(source);
  const [block = "", fields = ""] = yaml ?? TOML.exec(source) ?? [];
  if (block === "" || !FIELD_FIRST.test(fields)) {
    return { title: undefined, text: source.replace(BYTE_ORDER_MARK, "") };
  }
  const title = yaml === null ? tomlTitle(fields) : yamlTitle(fields);
  return {
    title: title?.replace(/\s+/g, " ").trim() || undefined,
    text: source.slice(block.length).replace(EMPTY_LINES, ""),
  };
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
  const [own = ""] = fields.split(TOML_TABLE, 1);
  const value = after(own, TOML_TITLE).trimStart();
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
