// The element's attributes, checked. A wrong value is ignored, with a warning for
// the page's author.

import { tellAuthor } from "./author.ts";

export const ATTRIBUTES = [
  "url",
  "label",
  "placeholder",
  "greeting",
  "accent",
  "examples",
  "collections",
  "lang",
  "theme",
  "mode",
  "open",
] as const;

export type Attribute = (typeof ATTRIBUTES)[number];

/** Belay's own address: this module comes from there. */
const OWN = new URL(import.meta.url).origin;

/** Values of `color-scheme`. Without a theme the element has the page's. */
const SCHEMES = new Map([
  ["", "inherit"],
  ["light", "light"],
  ["dark", "dark"],
  ["auto", "light dark"],
]);

export class Settings {
  url = OWN;
  /** Empty texts are those of the reader's language. */
  label = "";
  placeholder = "";
  greeting = "";
  accent = "";
  /** Undefined: those of the service. */
  examples: readonly string[] | undefined;
  /** Undefined: all. */
  collections: readonly string[] | undefined;
  scheme = "inherit";
  bubble = false;

  take(name: Attribute, value: string | null): void {
    const text = value?.trim() ?? "";
    switch (name) {
      case "url":
        this.url = addressIn(text);
        break;
      case "label":
      case "placeholder":
      case "greeting":
        this[name] = text;
        break;
      case "accent":
        this.accent = CSS.supports("color", text) ? text : "";
        if (this.accent !== text) warn(name, text, "a CSS colour");
        break;
      case "examples":
        this.examples = listIn(value, "|");
        break;
      case "collections":
        this.collections = listIn(value, ",");
        break;
      case "theme":
        this.scheme = SCHEMES.get(text) ?? "inherit";
        if (!SCHEMES.has(text)) warn(name, text, "light, dark or auto");
        break;
      case "mode":
        this.bubble = text === "bubble";
        if (!/^(bubble|inline)?$/.test(text)) warn(name, text, "bubble or inline");
        break;
    }
  }
}

function addressIn(text: string): string {
  if (text === "") return OWN;
  const url = URL.parse(text, location.href);
  if (url !== null && /^https?:$/.test(url.protocol)) return url.href.replace(/[/?#]+$/, "");
  warn("url", text, "Belay's address, such as https://belay.example.com");
  return OWN;
}

function listIn(value: string | null, separator: string): readonly string[] | undefined {
  const items = (value ?? "").split(separator).map((item) => item.trim());
  const named = items.filter((item) => item !== "");
  return named.length > 0 ? named : undefined;
}

function warn(name: string, value: string, wanted: string): void {
  tellAuthor(`${name}="${value}" is ignored. It must be ${wanted}.`);
}
