// Front matter: fields for other programs at the head of a Markdown text, YAML between lines of three
// hyphens, of which the last may be three dots, or TOML between lines of three plus signs. It is no part
// of the document. Pure.

interface FrontMatter {
  /** The value of its field `title`. */
  readonly title: string | undefined;
  /** Where the document's text begins, in UTF-16 units: after front matter and a byte order mark. */
  readonly end: number;
}

const YAML = /^\ufeff?---[ \t]*\r?\n([\s\S]*?)(?<=\n)(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/;
const TOML = /^\ufeff?\+\+\+[ \t]*\r?\n([\s\S]*?)(?<=\n)\+\+\+[ \t]*(?:\r?\n|$)/;
/** The first line that is not empty: a field, or a comment. Otherwise the fence is a mere rule. */
const FIELD_FIRST = /^\s*(?:["']?[\p{L}\p{M}\p{N}_.$-]+["']?[ \t]*[:=]|#|\[[^\]\n]+\]|$)/u;

const YAML_TITLE = /^(?:title|"title"|'title')[ \t]*:/im;
const TOML_TITLE = /^[ \t]*(?:title|"title"|'title')[ \t]*=/im;
const TOML_TABLE = /^[ \t]*\[/m;
/** The rest of the line, and the lines after it that are indented or empty. */
const VALUE = /^[^\n]*(?:\n(?:[ \t][^\n]*|\r?(?=\n)))*/;

/** No title is longer, in UTF-16 units. */
const VALUE_LENGTH_MAX = 4_000;

export function frontMatter(text: string): FrontMatter {
  const yaml = YAML.exec(text);
  const [block = "", fields = ""] = yaml ?? TOML.exec(text) ?? [];
  if (block === "" || !FIELD_FIRST.test(fields)) {
    return { title: undefined, end: text.startsWith("\ufeff") ? 1 : 0 };
  }
  const title = yaml === null ? tomlTitle(fields) : yamlTitle(fields);
  return { title: title?.replace(/\s+/g, " ").trim() || undefined, end: block.length };
}

function yamlTitle(fields: string): string | undefined {
  const [lines = ""] = VALUE.exec(after(fields, YAML_TITLE)) ?? [];
  const value = lines.trim();
  // A block scalar: `>` or `|`, how it is indented and chomped, and its lines.
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

/** The text between quotation marks, which ends at the second of them. */
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
