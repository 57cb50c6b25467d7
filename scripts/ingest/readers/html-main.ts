// The main content of a page: what --select names, else the landmark of the
// content, else what a library finds. What is never content is removed.

import { Readability } from "@mozilla/readability";
import { isUnfolded, prepareDisclosures } from "./html-disclosures.ts";
import { wordsOf } from "./html-element.ts";

export interface Selectors {
  readonly select?: readonly string[];
  readonly exclude?: readonly string[];
}

/** Never content, wherever it is. */
const NEVER = [
  "script, style, template, noscript, iframe, object, embed, form, dialog, nav, head",
  "[role=navigation], [role=search], [role=banner], [role=contentinfo], [role=dialog]",
  "[aria-label=breadcrumb], [aria-label=breadcrumbs], [aria-label=Breadcrumbs], .breadcrumb, .breadcrumbs",
  ".visually-hidden, .sr-only, .skip-link, .VPSkipLink",
  ".toc, .table-of-contents, #toc, #TableOfContents, .sl-anchor-link",
  ".edit-link, .edit-page-link, .theme-edit-this-page, .prev-next, .pagination, .pagination-nav, .prev-next-footer",
  // MediaWiki, Docusaurus, Confluence, WordPress, Zendesk, GitBook.
  ".noprint, .mw-editsection, .printfooter, #catlinks, #siteSub, #p-lang-btn, .navbox, .page-header-icon",
  ".theme-doc-version-badge, .theme-doc-version-banner, .toc-macro, .pageSection, .page-metadata",
  ".sharedaddy, .jp-relatedposts, .related-articles, .related-posts, .article-relatives",
  ".wp-block-comments, .comments-area, .comment-list, .comment-respond, .article-comments",
  ".article-author, .article-subscribe, .article-votes, .page-navigation, .page-feedback",
  ".copy, .copy-button, .clipboard, .btn-clipboard, .share, .social-share, .feedback, .was-this-helpful",
].join(", ");
/** By the words of their id or class. */
const BANNER =
  /(?:^|[\s_-])(?:cookies?|consent|gdpr|onetrust|newsletter|subscribe|advert(?:isement)?|ads?|sidebar|side-nav|sidenav|navbar|breadcrumbs?|on-this-page|toctree-wrapper-nav)(?=$|[\s_-])/i;
/** The landmarks of content, the narrowest first. */
const LANDMARKS = [
  "main article",
  "[role=main] article",
  "main .markdown-body, main .content, main .vp-doc, .markdown-body, .vp-doc, .theme-doc-markdown, .md-content, .rst-content [itemprop=articleBody]",
  "main, [role=main]",
  "article",
  "#content, .content, #main, #main-content",
];
/** A shorter landmark beside much other text is not the content. */
const SHARE_MIN = 0.25;
const SHARE_READABLE_MIN = 0.5;
const SHARE_READABLE_MAX = 0.9;

export function mainContent(
  document: Document,
  { select, exclude }: Selectors,
): Element | undefined {
  const { body } = document;
  for (const selector of exclude ?? []) {
    for (const element of document.querySelectorAll(selector)) element.remove();
  }
  if (select !== undefined && select.length > 0) {
    const parts = [...document.querySelectorAll(select.join(", "))];
    const outer = parts.filter(
      (part) => !parts.some((other) => other !== part && other.contains(part)),
    );
    if (outer.length === 0) return undefined;
    const root = document.createElement("div");
    root.append(...outer);
    clean(root, false);
    return root;
  }
  clean(body, true);
  // The library drops buttons, which may be titles.
  prepareDisclosures(body);
  const whole = lengthOf(body);
  for (const landmark of LANDMARKS) {
    const [only, ...others] = document.querySelectorAll(landmark);
    // Several articles are a list of them.
    if (
      only === undefined ||
      (others.length > 0 && others.some((other) => !only.contains(other)))
    ) {
      continue;
    }
    if (lengthOf(only) >= whole * SHARE_MIN) return withTitle(only, body);
  }
  return readable(document) ?? body;
}

/** A heading of the page that is just above its content belongs to it. */
function withTitle(content: Element, body: Element): Element {
  if (content.querySelector("h1") !== null) return content;
  const titles = [...body.querySelectorAll("h1")];
  const [title] = titles;
  if (titles.length === 1 && title !== undefined) {
    // What a header says below the title is its lead.
    const rest = [...(title.closest("header")?.querySelectorAll("p") ?? [])];
    content.prepend(title, ...rest.filter((line) => !title.contains(line)));
  }
  return content;
}

function readable(document: Document): Element | undefined {
  const length = lengthOf(document.body);
  // The library turns headings of the first level into such of the second.
  for (const title of document.querySelectorAll("h1")) title.setAttribute("data-title", "");
  const copy = document.cloneNode(true) as Document;
  const found = new Readability(copy, {
    keepClasses: true,
    serializer: (node) => node as Element,
  }).parse();
  const content = found?.content;
  if (content === undefined || content === null) return undefined;
  // It gives up on short pages, drops much of some long ones, and is not
  // needed where it takes off little.
  const share = lengthOf(content) / length;
  if (share < SHARE_READABLE_MIN || share > SHARE_READABLE_MAX) return undefined;
  for (const title of content.querySelectorAll("h2[data-title]")) {
    const first = document.createElement("h1");
    for (const { name, value } of title.attributes) first.setAttribute(name, value);
    first.append(...title.childNodes);
    title.replaceWith(first);
  }
  return content;
}

/** @param isPage Whether headers and footers are those of the site. */
function clean(root: Element, isPage: boolean): void {
  for (const element of root.querySelectorAll(NEVER)) element.remove();
  for (const element of root.querySelectorAll("[id], [class]")) {
    if (/^(?:html|body|main|article|pre|code|h[1-6])$/.test(element.localName)) continue;
    if (element.querySelector("main, article, h1") !== null) continue;
    // The id of a part of the content is that of its heading.
    const isContent = element.closest("section, main, article, [role=main]") !== null;
    const id = isContent ? "" : (element.getAttribute("id") ?? "");
    if (BANNER.test(`${id} ${element.getAttribute("class") ?? ""}`)) element.remove();
  }
  for (const element of root.querySelectorAll("[style], [hidden]")) {
    const style = element.getAttribute("style") ?? "";
    const isHidden =
      element.hasAttribute("hidden") || /display:\s*none|visibility:\s*hidden/i.test(style);
    if (isHidden && !isUnfolded(element)) element.remove();
  }
  if (!isPage) return;
  for (const element of root.querySelectorAll("header, footer, aside")) {
    if (
      element.localName === "aside" &&
      /admonition|callout|note|tip|warning|starlight/i.test(element.className)
    )
      continue;
    if (element.localName === "footer" && /footnote/i.test(element.className)) continue;
    const title = element.localName === "header" ? element.querySelector("h1") : null;
    if (title === null) element.remove();
    else if (element.closest("main, article") === null && !isOfPage(element, title)) {
      element.remove();
    }
  }
}

/** A header of the site has its links, or its name as a link home. */
function isOfPage(header: Element, title: Element): boolean {
  const links = [...header.querySelectorAll("a")];
  return links.length <= 2 && !links.some((link) => wordsOf(link) === wordsOf(title));
}

function lengthOf(element: Element): number {
  return element.textContent.replace(/\s+/g, " ").length;
}
