// A text cut to a length, never inside a surrogate pair. Half a
// character can be sent but not stored. Pure.

/**
 * The text in pieces of at most `lengthMax` UTF-16 units, none of them
 * empty.
 */
export function* pieces(text: string, lengthMax: number): Generator<string> {
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + lengthMax, text.length);
    if (end < text.length && endsInHalf(text.slice(start, end))) end -= 1;
    yield text.slice(start, end);
    start = end;
  }
}

/**
 * The longest beginning of the text that fits into `bytesMax` bytes of
 * UTF-8.
 */
export function startOf(text: string, bytesMax: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(Math.max(0, bytesMax)));
  return text.slice(0, read);
}

/** Whether the last unit is the first half of a character. */
export function endsInHalf(text: string): boolean {
  const unit = text.charCodeAt(text.length - 1);
  return unit >= 0xd800 && unit <= 0xdbff;
}
