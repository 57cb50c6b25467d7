// The content of an HTML page, or of a part of one, as Markdown.

import TurndownService from "turndown";
import { prepare } from "./html-prepare.ts";
import { tableOf } from "./html-table.ts";

/** @param base Relative links lead from here. */
export function toMarkdown(root: Element, base: string | undefined): string {
  prepare(root);
  const lines = converter(base).turndown(root as unknown as TurndownService.Node);
  return `${lines
    .replace(/(?<![ \t])[ \t]+$/gm, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim()}\n`;
}

function converter(base: string | undefined): TurndownService {
  const service = new TurndownService({
    headingStyle: "atx",
    codeBlockStyle: "fenced",
    bulletListMarker: "-",
    emDelimiter: "*",
    hr: "---",
  });
  service.remove([
    "script",
    "style",
    "template",
    "noscript",
    "iframe",
    "object",
    "button",
  ] as never);
  service.addRule("raw", {
    filter: (node) => (node as unknown as Element).hasAttribute("data-raw"),
    replacement: (_, node) => node.textContent ?? "",
  });
  service.addRule("alert", {
    filter: (node) => (node as unknown as Element).hasAttribute("data-alert"),
    replacement: (text, node) => {
      const element = node as unknown as Element;
      const title = element.getAttribute("data-title") ?? "";
      const head = `[!${element.getAttribute("data-alert")}]${title && ` ${title}`}`;
      return `\n\n${`${head}\n${text.trim()}`.replace(/^/gm, "> ")}\n\n`;
    },
  });
  service.addRule("strike", {
    filter: ["del", "s"],
    replacement: (text) => (text.trim() === "" ? "" : `~~${text}~~`),
  });
  service.addRule("heading", {
    filter: ["h1", "h2", "h3", "h4", "h5", "h6"],
    replacement: (text, node) => {
      const element = node as unknown as Element;
      const line = text.replace(/\s*\n\s*/g, " ").trim();
      if (line === "") return "\n\n";
      const anchor = element.getAttribute("data-anchor");
      const list = anchor === null ? "" : ` {#${anchor}}`;
      return `\n\n${"#".repeat(Number(element.localName[1]))} ${line}${list}\n\n`;
    },
  });
  service.addRule("code-block", {
    filter: "pre",
    replacement: (_, node) => {
      const text = node.textContent ?? "";
      if (text.trim() === "") return "";
      const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
      const fence = "`".repeat(longest + 1);
      const language = (node as unknown as Element).getAttribute("data-language") ?? "";
      return `\n\n${fence}${language}\n${text}\n${fence}\n\n`;
    },
  });
  service.addRule("item", {
    filter: "li",
    replacement: (text, node) => {
      const element = node as unknown as Element;
      const list = element.parentElement;
      let mark = "- ";
      if (list?.localName === "ol") {
        const first = Number(list.getAttribute("start") ?? 1) || 1;
        const place = [...list.children].filter((child) => child.localName === "li");
        mark = `${first + place.indexOf(element)}. `;
      }
      const box = element.querySelector(
        ":scope > input[type=checkbox], :scope > p > input[type=checkbox], :scope > label > input[type=checkbox]",
      );
      const task = box === null ? "" : box.hasAttribute("checked") ? "[x] " : "[ ] ";
      const body = text.trim().replace(/\n(?=[^\n])/g, `\n${" ".repeat(mark.length)}`);
      if (body === "") return "";
      return `${mark}${task}${body}${/\n\n/.test(body) ? "\n\n" : "\n"}`;
    },
  });
  service.addRule("picture", {
    filter: ["img", "picture", "video", "audio", "canvas", "svg"] as never,
    replacement: (_, node) => {
      const alt = ((node as unknown as Element).getAttribute("alt") ?? "")
        .replace(/\s+/g, " ")
        .trim();
      return alt.length > 3 ? `![${alt.replaceAll(/[[\]]/g, "")}](#)` : "";
    },
  });
  service.addRule("link", {
    filter: (node) => node.nodeName === "A",
    replacement: (text, node) => {
      const words = text.trim();
      if (words === "") return "";
      const address = absolute((node as unknown as Element).getAttribute("href"), base);
      if (address === undefined || /\n/.test(words)) return text;
      return text.replace(words, () => `[${words}](${address})`);
    },
  });
  service.addRule("mark", {
    filter: ["sup"],
    replacement: (text) => (text.trim() === "" ? "" : /^\[/.test(text) ? text : `^${text}`),
  });
  service.addRule("table", {
    filter: "table",
    replacement: (_, node) => tableOf(node as unknown as Element, service),
  });
  return service;
}

function absolute(href: string | null, base: string | undefined): string | undefined {
  if (href === null || href === "" || href.startsWith("#")) return undefined;
  const url = URL.parse(href, base);
  if (url === null) return base === undefined && /^[./\w-]/.test(href) ? href : undefined;
  if (!/^(?:https?|mailto):$/.test(url.protocol)) return undefined;
  // Google's documents count the clicks on their links.
  const counted = url.host === "www.google.com" && url.pathname === "/url";
  const target = counted ? URL.parse(url.searchParams.get("q") ?? "") : null;
  if (target !== null) return absolute(target.href, undefined);
  return url.href.replace(/[()\s]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
}
