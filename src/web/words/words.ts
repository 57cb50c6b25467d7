// The fixed texts of an answer and its question, in one language.

import type { en } from "./en.ts";

export type Words = typeof en;
