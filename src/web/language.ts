// The language of a text, by the script of its first letter: enough for a screen
// reader's voice and for the right forms of Chinese characters.

const LETTER = /\p{L}/u;
const KANA = /[\p{sc=Hiragana}\p{sc=Katakana}]/u;
const SCRIPTS: readonly (readonly [RegExp, string])[] = [
  [KANA, "ja"],
  [/\p{sc=Han}/u, "zh"],
  [/\p{sc=Hangul}/u, "ko"],
  [/\p{sc=Arabic}/u, "ar"],
  [/\p{sc=Hebrew}/u, "he"],
  [/\p{sc=Cyrillic}/u, "ru"],
  [/\p{sc=Greek}/u, "el"],
  [/\p{sc=Thai}/u, "th"],
  [/\p{sc=Devanagari}/u, "hi"],
];
/** Written in Latin letters, as is every text that no script above fits. */
const LATIN = "en";

/** Undefined if the text may be in the page's language. */
export function languageOf(text: string, page: string): string | undefined {
  const letter = LETTER.exec(text)?.[0];
  if (letter === undefined) return undefined;
  const script = SCRIPTS.find(([own]) => own.test(letter))?.[1] ?? LATIN;
  const lang = script === "zh" && KANA.test(text) ? "ja" : script;
  const [own = ""] = page.split("-");
  if (lang !== LATIN) return lang === own ? undefined : lang;
  // Other languages of Latin letters cannot be told apart.
  return SCRIPTS.some(([, other]) => other === own) ? lang : undefined;
}
