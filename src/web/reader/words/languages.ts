// The languages of the page. The first is for readers of all others.

import { de } from "./de.ts";
import { en } from "./en.ts";
import { ja } from "./ja.ts";
import type { PageWords } from "./page-words.ts";
import { zhHans } from "./zh-hans.ts";
import { zhHant } from "./zh-hant.ts";

export const LANGUAGES: readonly [PageWords, ...PageWords[]] = [en, de, ja, zhHans, zhHant];
