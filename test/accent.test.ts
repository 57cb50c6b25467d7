// An operator's accent colour can be read on the page's papers, whatever it is.

import { expect, it } from "vitest";
import { accentColours } from "../src/accent.ts";
import { Random } from "./support/random.ts";

/** The papers of theme.css: page, cards and what is sunken. */
const LIGHT = ["#fcfbf8", "#ffffff", "#f3f0ea"];
const DARK = ["#191816", "#232220", "#131211"];

it("keeps a colour that can be read, and changes one that cannot", () => {
  expect(accentColours("#9c300a")).toMatchObject({ light: "#9c300a", onLight: "#ffffff" });
  expect(accentColours("#ff9a63")?.dark).toBe("#ff9a63");
  expect(accentColours("#fe0")?.light).not.toBe("#ffee00");
  expect(accentColours("#000")?.dark).not.toBe("#000000");
});

it.each(["red", "", "#12", "#12345g", "#1234567"])("%j is no colour", (text) => {
  expect(accentColours(text)).toBeUndefined();
});

it("any colour has a contrast of 4.5 as text, and so has the text on it", () => {
  const random = new Random(14);
  for (let n = 0; n < 300; n += 1) {
    const hex = `#${Array.from({ length: 6 }, () => Math.floor(random.next() * 16).toString(16)).join("")}`;
    const colours = accentColours(hex);
    if (colours === undefined) throw new Error(hex);
    for (const paper of LIGHT) expect(contrast(colours.light, paper)).toBeGreaterThanOrEqual(4.5);
    for (const paper of DARK) expect(contrast(colours.dark, paper)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(colours.light, colours.onLight)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(colours.dark, colours.onDark)).toBeGreaterThanOrEqual(4.5);
  }
});

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
