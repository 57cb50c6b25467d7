// Which language a reader gets the page in.

import { expect, it } from "vitest";
import { preferredLanguage } from "../../src/edge/language.ts";

const preferred = (accepted: string | undefined, search = "") =>
  preferredLanguage(
    new Request(`https://belay.test/${search}`, {
      headers: accepted === undefined ? {} : { "accept-language": accepted },
    }),
  );

it.each([
  [undefined, "en"],
  ["", "en"],
  ["de", "de"],
  ["de-CH, de;q=0.9, en;q=0.8", "de"],
  ["DE-at", "de"],
  ["en-US,en;q=0.9,de;q=0.8", "en"],
  ["fr, ja;q=0.5, de;q=0.4", "ja"],
  ["de;q=0.4, ja;q=0.5", "ja"],
  ["de ; q=0.4 , ja ; Q=0.5", "ja"],
  ["de;q=0, ja;q=0.001", "ja"],
  ["de;q=0", "en"],
  ["de;q=2, ja;q=0.1", "ja"],
  ["de;q=x, ja;q=0.1", "ja"],
  ["de, ja", "de"],
  ["fr-FR", "en"],
  ["*", "en"],
  ["*, de;q=0.5", "de"],
  ["dex, jav", "en"],
  ["zh", "zh-Hans"],
  ["zh-CN", "zh-Hans"],
  ["zh-SG", "zh-Hans"],
  ["zh-Hans-TW", "zh-Hans"],
  ["zh-TW", "zh-Hant"],
  ["zh-HK", "zh-Hant"],
  ["zh-MO", "zh-Hant"],
  ["zh-hant", "zh-Hant"],
  ["zh-Hant-CN", "zh-Hant"],
  ["zh-TW,zh;q=0.9,en-US;q=0.8", "zh-Hant"],
  [";;;,,,=q,q=1;-", "en"],
])("a browser that accepts %s gets %s", (accepted, language) => {
  expect(preferred(accepted)).toBe(language);
});

it.each([
  ["?lang=ja", "ja"],
  ["?lang=zh-TW", "zh-Hant"],
  ["?lang=EN", "en"],
  ["?lang=ja&lang=en", "ja"],
  ["?lang=", "de"],
  ["?lang=xx", "de"],
])("%s in the address comes before the browser's de: %s", (search, language) => {
  expect(preferred("de", search)).toBe(language);
});

it("reads only the first entries of an endless list", () => {
  expect(preferred(`${"fr,".repeat(5_000)}de`)).toBe("en");
});
