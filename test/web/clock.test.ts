// How the page shows times. The reader's time zone is UTC here.

import { afterEach, expect, it, vi } from "vitest";
import { clock, localeOf } from "../../src/web/clock.ts";

const NOW = Date.parse("2026-11-22T23:30:00Z");
const said = (at: string) => clock(Date.parse(at), NOW, "en");

afterEach(() => {
  vi.unstubAllGlobals();
});

it.each([
  ["today", "2026-11-22T11:00:00Z"],
  ["the next one", "2026-11-23T11:00:00Z"],
  ["a whole day from now", "2026-11-23T23:30:00Z"],
])("a time within a day is a time of day: %s", (_which, at) => {
  expect(said(at)).toMatch(/^\d\d?:\d\d( [AP]M)?$/);
});

it.each([
  ["the day after tomorrow", "2026-11-24T11:00:00Z", "24"],
  ["later", "2026-12-01T00:00:00Z", "1"],
  ["the day before yesterday", "2026-11-20T23:50:00Z", "20"],
])("another time is a date: %s", (_which, at, day) => {
  expect(said(at)).toMatch(new RegExp(`^(${day} \\w+|\\w+ ${day})$`));
});

it("a locale of the browser that is no language tag is passed over", () => {
  vi.stubGlobal("navigator", { languages: ["en-US@posix", "", "de-AT"] });
  expect(localeOf("de")).toBe("de-AT");
  expect(localeOf("en")).toBe("en");
});
