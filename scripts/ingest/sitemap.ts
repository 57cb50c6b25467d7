// The addresses in a sitemap, an index of sitemaps, or an llms.txt. Pure. No
// XML parser is used: entities that a file declares are not expanded.

import { gunzipSync } from "node:zlib";

export interface Place {
  readonly url: string;
  readonly lastModified: string | undefined;
}

const PLACES_MAX = 50_000;
const BYTES_MAX = 50 * 1024 * 1024;
const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

/** Throws for what is no gzip, or unpacks to more than 50 MiB. */
export function textOf(bytes: Uint8Array): string {
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return new TextDecoder().decode(
    isPacked ? gunzipSync(bytes, { maxOutputLength: BYTES_MAX }) : bytes,
  );
}

/** One that matters; each is looked for once, so that the time is linear. */
const TAG = /<(\/?)([\w-]{1,40}:)?(url|sitemap|loc|lastmod)(?:\s[^<>]{0,500})?>/gi;
const VALUE_LENGTH_MAX = 4_096;

/** Undefined if it is no sitemap. */
export function placesOf(
  xml: string,
  base: string,
): { readonly pages: readonly Place[]; readonly sitemaps: readonly string[] } | undefined {
  if (!/<(?:\w{1,40}:)?(?:urlset|sitemapindex)[\s>]/i.test(xml.slice(0, 10_000))) return undefined;
  const pages: Place[] = [];
  const sitemaps: string[] = [];
  let entry = new Map<string, string>();
  let open: { readonly name: string; readonly from: number } | undefined;
  let prefix = "";
  for (const { 0: tag, 1: slash, 2: space = "", 3: written = "", index } of xml.matchAll(TAG)) {
    const name = written.toLowerCase();
    if (name === "url" || name === "sitemap") {
      const lastModified = entry.get("lastmod");
      const loc = slash === "" ? undefined : entry.get("loc");
      const url = loc === undefined ? null : URL.parse(loc, base);
      [entry, open, prefix] = [new Map(), undefined, space];
      if (url === null || !/^https?:$/.test(url.protocol)) continue;
      url.hash = "";
      if (name === "sitemap") sitemaps.push(url.href);
      else pages.push({ url: url.href, lastModified });
      if (pages.length + sitemaps.length >= PLACES_MAX) break;
    } else if (space !== prefix) {
      // That of a picture or a film of the page.
    } else if (slash === "") open = { name, from: index + tag.length };
    else if (open?.name === name) {
      const value = textIn(xml.slice(open.from, Math.min(index, open.from + VALUE_LENGTH_MAX)));
      if (value !== "" && !entry.has(name)) entry.set(name, value);
      open = undefined;
    }
  }
  return { pages, sitemaps };
}

function textIn(xml: string): string {
  const text = xml.trim();
  if (text.startsWith("<![CDATA[") && text.endsWith("]]>")) return text.slice(9, -3).trim();
  return text.replace(/&(\w{1,10});/g, (whole, entity: string) => ENTITIES[entity] ?? whole);
}

/** Of a link in Markdown. Each character is looked at once. */
const LINK = /\]\(\s{0,8}<?((?:[^\s<>()]|\([^\s<>()]{0,200}\)){1,2000})/g;

/** The links of an llms.txt. */
export function linksOfLlms(text: string, base: string): string[] {
  const links = new Set<string>();
  for (const [, href = ""] of text.matchAll(LINK)) {
    const url = URL.parse(href, base);
    if (url === null || !/^https?:$/.test(url.protocol)) continue;
    url.hash = "";
    links.add(url.href);
    if (links.size >= PLACES_MAX) break;
  }
  return [...links];
}
