// The head of a Markdown text: its front matter, which is for other programs and is taken off, and its
// title. Pure.

export interface Head {
  /** The first heading, else the title of the front matter. */
  readonly title: string | undefined;
  readonly text: string;
}

// YAML between lines of three hyphens, or TOML between lines of three plus signs.
const FRONT_MATTER = /^(---|\+\+\+)[ \t]*\r?\n([\s\S]*?)(?<=\n)\1[ \t]*(?:\r?\n|$)/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;

export function headOf(whole: string): Head {
  const [block = "", , fields = ""] = FRONT_MATTER.exec(whole) ?? [];
  const text = block === "" ? whole : whole.slice(block.length).replace(/^(?:[ \t]*\r?\n)+/, "");
  return { title: headingOf(text) ?? titleField(fields), text };
}

function titleField(fields: string): string | undefined {
  const [, value = ""] = /^title[ \t]*[:=][ \t]*(.+?)[ \t]*\r?$/m.exec(fields) ?? [];
  const title = value.replace(/^(["'])(.*)\1$/, "$2");
  return title === "" ? undefined : title;
}

/** The first heading outside code, without its mark-up. */
function headingOf(text: string): string | undefined {
  let fence = "";
  let previous = "";
  for (const line of text.split(/\r?\n/)) {
    const mark = FENCE.exec(line)?.[1] ?? "";
    const inside = fence !== "";
    if (!inside) fence = mark;
    else if (mark.startsWith(fence) && line.trim() === mark) fence = "";
    if (inside || mark !== "") {
      previous = "";
      continue;
    }
    const [, heading] = /^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/.exec(line) ?? [];
    const underlined = /^ {0,3}=+[ \t]*$/.test(line) ? previous : "";
    const title = withoutMarkUp(heading || underlined).trim();
    if (title !== "") return title;
    previous = line;
  }
  return undefined;
}

function withoutMarkUp(heading: string): string {
  return heading
    .replace(/!?\[([^[\]]*)\](?:\([^()]*\)|\[[^[\]]*\])/g, "$1")
    .replace(/<[^<>]*>/g, "")
    .replace(/(`+)(.+?)\1/g, "$2")
    .replace(/(\*\*|__|\*|_)(?=\S)(.+?)(?<=\S)\1(?![\p{L}\p{N}])/gu, "$2")
    .replace(/\\([!-/:-@[-`{-~])/g, "$1");
}
