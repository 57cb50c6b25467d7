// What of a text a reader can see. Pure.

/**
 * No white space, control or format character, nothing that fonts ignore by default, neither of the two
 * symbols that are drawn as blanks, and not U+FFFD, which replaces damaged text.
 */
const VISIBLE =
  /[^\p{White_Space}\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800\u{1d159}\ufffd]/u;

/** Whether a reader sees anything of it: U+200B, NUL and blanks alone are nothing. */
export function isVisible(text: string): boolean {
  return VISIBLE.test(text);
}
