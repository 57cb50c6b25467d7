// A text cut to a length, never inside a surrogate pair. Half a
// character can be sent but not stored. Pure.

/**
 * The text in pieces of at most `lengthMax` UTF-16 units, none of them
 * empty.
 */
export function pieces(text: string, lengthMax: number): readonly string[] {
  const cut: string[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + lengthMax, text.length);
    if (end < text.length && endsInHalf(text.slice(start, end))) end -= 1;
    cut.push(text.slice(start, end));
    start = end;
  }
  return cut;
}

/**
 * The longest beginning of the text that fits into `bytesMax` bytes of
 * UTF-8.
 */
export function startOf(text: string, bytesMax: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(Math.max(0, bytesMax)));
  return text.slice(0, read);
}

/** The bytes of a well-formed text in UTF-8. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    // Half a surrogate pair has two of the four bytes.
    if (unit >= 0x80) bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

/** Whether the last unit is the first half of a character. */
export function endsInHalf(text: string): boolean {
  const unit = text.charCodeAt(text.length - 1);
  return unit >= 0xd800 && unit <= 0xdbff;
}
