// The texts of the page: its languages have the same members, and none is English.

import { expect, it } from "vitest";
import { dayOf } from "../../src/web/reader/days.ts";
import { pageFiles } from "../../src/web/reader/html.ts";
import { en } from "../../src/web/reader/words/en.ts";
import { LANGUAGES } from "../../src/web/reader/words/languages.ts";

const OTHERS = LANGUAGES.filter(({ lang }) => lang !== "en");

it.each(OTHERS)("$lang has each text of English, in its own words", (words) => {
  expect(Object.keys(words).sort()).toEqual(Object.keys(en).sort());
  for (const [name, text] of Object.entries(en)) {
    const own = words[name as keyof typeof en];
    if (typeof text === "string" && name !== "lang") {
      expect(own).not.toBe(text);
      expect(own).not.toBe("");
    } else if (typeof text === "object") expect(Object.keys(own)).toEqual(Object.keys(text));
  }
});

it.each(LANGUAGES)("$lang tells one source from several", ({ lang, sourceCount, moreSources }) => {
  const hasPlural = lang === "en" || lang === "de";
  const without = (text: string) => text.replace(/\d+/, "");
  expect(without(sourceCount(1)) !== without(sourceCount(2))).toBe(hasPlural);
  for (const n of [1, 2, 20]) {
    expect(sourceCount(n)).toContain(`${n}`);
    expect(moreSources(n)).toContain(`${n}`);
  }
});

it("each page is in its language, with the same parts", () => {
  const files = Object.entries(pageFiles());
  expect(files.map(([name]) => name)).toEqual([
    "index.html",
    "index.de.html",
    "index.ja.html",
    "index.zh-Hans.html",
    "index.zh-Hant.html",
  ]);
  const partsOf = (html: string) => html.match(/ id="[\w-]+"| data-\w+| href="[^"]+"/g);
  const [english = ""] = Object.values(pageFiles());
  for (const [i, [, html]] of files.entries()) {
    expect(html).toContain(`<html lang="${LANGUAGES[i]?.lang}">`);
    expect(partsOf(html)).toEqual(partsOf(english));
    expect(html).not.toMatch(/undefined|\[object| style=|=>/);
  }
});

it.each([
  ["2026-11-28T00:01:00Z", "Today"],
  ["2026-11-27T23:59:00Z", "Yesterday"],
  ["2026-11-26T12:00:00Z", "Thursday"],
  ["2026-11-22T12:00:00Z", "Sunday"],
  // A week ago the weekday would be today's.
  ["2026-11-21T12:00:00Z", "November 21"],
  ["2025-11-27T12:00:00Z", "November 27, 2025"],
])("%s is %s", (at, day) => {
  const now = Date.parse("2026-11-28T23:00:00Z");
  expect(dayOf(Date.parse(at), now, en)).toBe(day);
});
