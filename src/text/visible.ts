// Whether a reader can see a text. Pure.

/**
 * Not white space, a control or format character, a default ignorable,
 * one of two symbols drawn as blanks, or U+FFFD, the mark of damaged
 * text.
 */
const VISIBLE =
  /[^\p{White_Space}\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800\u{1d159}\ufffd]/u;

/** False for U+200B, NUL and blanks alone. */
export function isVisible(text: string): boolean {
  return VISIBLE.test(text);
}
