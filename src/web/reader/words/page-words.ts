// The fixed texts of the page, in one language.

import type { en } from "./en.ts";

export type PageWords = typeof en;
