// Words of others on their way to a terminal or a log: names of files, what a server says, what a document
// holds. Pure.

/** Controls (escape sequences, line ends), and what changes the order of the characters around it. */
const HARMFUL = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\u{e0000}-\u{e007f}]/gu;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
/** Longer than a path may be on Linux would help no one. */
const LENGTH_MAX = 4_096;

/**
 * The text as one line that a terminal shows and does not obey: a control character is written as its escape
 * (`\x1b`, `\n`, `\u{202e}`), and a text of more than `max` characters is cut.
 */
export function printable(text: string, max = LENGTH_MAX): string {
  const line = text.length > max ? `${text.slice(0, max)}…` : text;
  return line.replace(HARMFUL, escaped);
}

/** The same for a text of several lines, which stay lines. */
export function printableLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => printable(line))
    .join("\n");
}

/** The same for a file's name that is not UTF-8: a byte that is not ASCII is written as `\xff`. */
export function printableBytes(bytes: Uint8Array): string {
  return [...bytes]
    .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : hex(byte)))
    .join("");
}

function escaped(character: string): string {
  const code = character.codePointAt(0) as number;
  return SHORT[character] ?? (code < 0x100 ? hex(code) : `\\u{${code.toString(16)}}`);
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}
