// The element's language. English is in the module. Each other language is a
// file beside it, which only a page in that language loads.

import { tellAuthor } from "./author.ts";
import { type ElementWords, en } from "./words/en.ts";

const FILES = ["de", "ja", "zh-hans", "zh-hant"];
/** In ms. After that, English. */
const PATIENCE_MS = 3_000;

/** @param tag As in the attribute `lang`. */
export async function wordsFor(tag: string): Promise<ElementWords> {
  const name = nameOf(tag);
  if (!FILES.includes(name)) return en;
  try {
    const late = new Promise<never>((_, reject) => setTimeout(reject, PATIENCE_MS));
    const file = import(new URL(`words-${name}.js`, import.meta.url).href);
    return { ...en, ...(await Promise.race([file, late])).words };
  } catch {
    tellAuthor(`words-${name}.js could not be loaded, so the texts are English.`);
    return en;
  }
}

function nameOf(tag: string): string {
  try {
    const { language, script } = new Intl.Locale(tag).maximize();
    return language === "zh" ? `zh-${script}`.toLowerCase() : language;
  } catch {
    return "";
  }
}
