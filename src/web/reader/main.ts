// The entry of the reader's page.

import { ICONS, PAGE_ICONS } from "../icons.ts";
import { Page } from "./page.ts";
import { LANGUAGES } from "./words/languages.ts";

Object.assign(ICONS, PAGE_ICONS);

const { lang } = document.documentElement;

new Page(LANGUAGES.find((words) => words.lang === lang) ?? LANGUAGES[0]).start();
