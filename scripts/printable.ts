// Text from files and servers, made safe for a terminal or a log. Pure.

/** Controls (escape sequences, line ends), and marks that reorder characters. */
const HARMFUL = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\u{e0000}-\u{e007f}]/gu;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
/** The longest path on Linux. */
const LENGTH_MAX = 4_096;

/**
 * The text as one line, cut after `max` characters. Control characters become
 * escapes: `\x1b`, `\n`, `\u{202e}`.
 */
export function printable(text: string, max = LENGTH_MAX): string {
  const line = text.length > max ? `${text.slice(0, max)}…` : text;
  return line.replace(HARMFUL, escaped);
}

/** `printable` for each line of a text. */
export function printableLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => printable(line))
    .join("\n");
}

/** A text of several lines, with its tabs. */
export function printableText(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replace(HARMFUL, (character) =>
      character === "\n" || character === "\t" ? character : escaped(character),
    );
}

/** JSON on one line. A reader of it gets the characters back. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(HARMFUL, (character) =>
    Array.from({ length: character.length }, (_, i) => {
      return `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
    }).join(""),
  );
}

/** A file name that is not UTF-8: other bytes than ASCII become `\xff`. */
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
