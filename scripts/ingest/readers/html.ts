// The reader of HTML: the main content of a page as Markdown, without
// navigation, banners, scripts and styles; and what the page says of itself.

import { parseHTML } from "linkedom";
import { type Directives, directivesOf } from "../directives.ts";
import { renamed, wordsOf } from "./html-element.ts";
import { mainContent } from "./html-main.ts";
import { toMarkdown } from "./html-markdown.ts";
import type { Read } from "./read.ts";

/** For all robots, or for this one. */
const META = /^(?:robots|belay(?:-ingest)?)$/i;

export interface HtmlOptions {
  /** Where the page is from. */
  readonly url?: string | undefined;
  /** CSS selectors of the content. Without them it is found. */
  readonly select?: readonly string[];
  /** CSS selectors of what is no content. */
  readonly exclude?: readonly string[];
}

export function readHtml(source: string, options: HtmlOptions = {}): Read {
  const { document } = parseHTML(
    /<html[\s>]/i.test(source) ? source : `<html><body>${source}</body></html>`,
  );
  const base = baseOf(document, options.url);
  lowerAttributes(document, source);
  const robots = robotsOf(document);
  const facts = {
    canonical: resolve(document.querySelector("link[rel=canonical]")?.getAttribute("href"), base),
    isHidden: robots.isHidden,
    links: robots.hidesLinks ? [] : linksOf(document, base),
    refresh: refreshOf(document, base),
  };
  const title = titleOf(document);
  const root = mainContent(document, options);
  if (root === undefined) return { reason: "no element matches --select.", ...facts };
  belowTitle(root, title);
  const text = toMarkdown(root, base);
  const heading = /^# (.+?)(?: \{#[^}]+\})?$/m.exec(text)?.[1];
  const named =
    heading === undefined && title !== "" && text.trim() !== "" ? `# ${title}\n\n${text}` : text;
  return { text: named, title: heading === undefined ? title : undefined, ...facts };
}

/** The parser keeps the names of attributes as they are written. */
function lowerAttributes(document: Document, source: string): void {
  if (!/<[a-z][^<>]{0,200}?\s[A-Z]+=/i.test(source)) return;
  for (const element of document.querySelectorAll("*")) {
    for (const { name, value } of [...element.attributes]) {
      if (!/[A-Z]/.test(name) || element.namespaceURI?.endsWith("svg")) continue;
      element.removeAttribute(name);
      element.setAttribute(name.toLowerCase(), value);
    }
  }
}

/** Several headings of the first level are parts of what the page is about. */
function belowTitle(root: Element, title: string): void {
  const words = title.toLowerCase();
  const heads = [...root.querySelectorAll("h1")];
  const isTitle = (element: Element) => wordsOf(element).toLowerCase() === words;
  if (title === "" || heads.some(isTitle)) return;
  // Word processors write the title as a paragraph.
  const lines = [...root.querySelectorAll("p.title")].filter(isTitle);
  if (heads.length < 2 && lines.length === 0) return;
  for (const line of lines) line.remove();
  for (const level of [5, 4, 3, 2, 1]) {
    for (const heading of root.querySelectorAll(`h${level}`)) renamed(heading, `h${level + 1}`);
  }
}

function baseOf(document: Document, url: string | undefined): string | undefined {
  return resolve(document.querySelector("base[href]")?.getAttribute("href"), url) ?? url;
}

function resolve(href: string | null | undefined, base: string | undefined): string | undefined {
  if (href === null || href === undefined || href.trim() === "") return undefined;
  const url = URL.parse(href.trim(), base);
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : undefined;
}

function robotsOf(document: Document): Directives {
  const values = [...document.querySelectorAll("meta[name]")]
    .filter((meta) => META.test(meta.getAttribute("name") ?? ""))
    .map((meta) => meta.getAttribute("content") ?? "");
  return directivesOf(values, "");
}

function refreshOf(document: Document, base: string | undefined): string | undefined {
  const meta = [...document.querySelectorAll("meta[http-equiv]")].find(
    (meta) => meta.getAttribute("http-equiv")?.toLowerCase() === "refresh",
  );
  return resolve(/url=['"]?([^'"]+)/i.exec(meta?.getAttribute("content") ?? "")?.[1], base);
}

const LINKS_MAX = 5_000;

function linksOf(document: Document, base: string | undefined): string[] {
  const links = new Set<string>();
  for (const link of document.querySelectorAll("a[href]")) {
    if (/\bnofollow\b/.test(link.getAttribute("rel") ?? "")) continue;
    const url = resolve(link.getAttribute("href"), base);
    if (url !== undefined) links.add(url.replace(/#.*$/s, ""));
    if (links.size >= LINKS_MAX) break;
  }
  return [...links];
}

/** Without the name of the site, which follows a sign. */
function titleOf(document: Document): string {
  const site = document.querySelector("meta[property='og:site_name']")?.getAttribute("content");
  const whole = (
    document.querySelector("meta[property='og:title']")?.getAttribute("content") ??
    document.querySelector("title")?.textContent ??
    ""
  )
    .replace(/\s+/g, " ")
    .trim();
  if (site && whole.endsWith(site)) {
    const short = whole.slice(0, -site.length).replace(/[\s|·•—–:-]+$/, "");
    if (short !== "") return short;
  }
  return whole.replace(/^[|·•—–\s]+/, "").replace(/\s+[|·•—–]\s+[^|·•—–]+$/, "") || whole;
}
