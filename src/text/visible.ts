// What of a text a reader can see. Pure.

/** White space, controls, what a font does not draw, and what replaces damaged text. */
const VISIBLE =
  /[^\p{White_Space}\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800\ufffd]/u;

/** Whether a reader sees anything of it: U+200B, NUL and blanks alone are nothing. */
export function isVisible(text: string): boolean {
  return VISIBLE.test(text);
}
