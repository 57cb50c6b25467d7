// Origins of pages, as browsers and app shells send
// them in the header Origin: which text is one, which
// one a wrong text meant, and which one is ours.

import { editDistance } from "./text/edit-distance.ts";

/** Schemes of the web whose pages never send a request with their origin. */
const NO_PAGE = /^(?:wss?|ftp|file|blob|data|javascript|about):/;
/** Schemes of app shells and extensions, known well enough to complete them. */
const APP =
  /^(?:tauri|capacitor|ionic|wails|app|(?:chrome|moz|safari-web|ms-browser)-extension|vscode-webview)$/;

/** A scheme as typed, what separates it from the rest, and the rest. */
const PARTS = /^([a-z][a-z\d+.-]*)(:[\\/]*|[;,]?[\\/]{2,})(.*)$/is;
const LOCAL = /^(?:localhost|(?:\d{1,3}\.){3}\d{1,3}|\[[\da-f:]+\])(?::\d{1,5})?(?:[/?#]|$)/i;
/** A name under a top-level domain: no token or key looks like one. */
const HOST = /^(?:[a-z\d-]{1,63}\.){1,9}[a-z]{2,24}(?::\d{1,5})?(?:[/?#]|$)/i;

/**
 * The origin of a URL in the only form that is ever sent:
 * no path, no default port, lower case. Undefined if it has
 * none. Apps have schemes of their own, such as `tauri:`,
 * whose origins RFC 6454 (section 4) leaves to the browser.
 */
export function originOf(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || NO_PAGE.test(url.protocol) || /[*\s]/.test(text)) return undefined;
  if (/^https?:$/.test(url.protocol)) return url.origin;
  const { protocol, host } = url;
  if (misspeltHttp(protocol.slice(0, -1)) !== undefined) return undefined;
  return /^[\w.~-]+(?::\d+)?$/.test(host) ? `${protocol}//${host}`.toLowerCase() : undefined;
}

/**
 * The origin that a wrong text meant, if that
 * is clear. The text may be a misplaced secret,
 * so only what looks like a host is repeated.
 */
export function meantOrigin(text: string): string | undefined {
  const plain = firstOf(text)
    .replace(/^blob:|^\/\//, "")
    .replace(/^(?:https?:\/\/)+(?=https?:\/\/)/i, "")
    .replace(/^ws(?=s?:\/\/)/i, "http")
    // One example of what the wildcard would cover.
    .replace(/^(https?:\/\/)?\*\./i, "$1www.")
    .replace(/:\*/, "");
  if (LOCAL.test(plain)) return originOf(`http://${authorityOf(plain)}`);
  if (HOST.test(plain)) return originOf(`https://${authorityOf(plain)}`);
  const [, scheme = "", separator = "", rest = ""] = PARTS.exec(plain) ?? [];
  const meant = meantScheme(scheme.toLowerCase(), separator, rest);
  return meant && originOf(`${meant}://${authorityOf(rest)}`);
}

/** The first entry of a list, such as one in JSON or with other separators. */
function firstOf(text: string): string {
  const [first = ""] = text
    .replace(/^(?:(?!\[[\da-f:.]+\])[["'\s])+/i, "")
    .split(/[\s"']|;(?!\/\/)/, 1);
  return first.replace(/^([^[]*)\].*$/s, "$1");
}

function authorityOf(text: string): string {
  return text.split(/[\\/?#]/, 1)[0] ?? "";
}

function meantScheme(scheme: string, separator: string, rest: string): string | undefined {
  if (APP.test(scheme)) return scheme;
  const http = /^https?$/.test(scheme) ? scheme : misspeltHttp(scheme);
  if (separator === "://") return http ?? scheme;
  return LOCAL.test(rest) || HOST.test(rest) ? http : undefined;
}

/** `https` for `httpps`: one or two typing errors away. */
function misspeltHttp(scheme: string): "http" | "https" | undefined {
  // Shorter, and most of it would be missing.
  if (scheme.length < 3 || scheme.length > 8) return undefined;
  const toHttps = editDistance(scheme, "https");
  const toHttp = editDistance(scheme, "http");
  if (Math.min(toHttps, toHttp) > 2) return undefined;
  return toHttp < toHttps ? "http" : "https";
}

/**
 * CSRF: whether a page of this origin sent
 * the request, as far as browsers say.
 */
export function isSameOrigin(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  // No page can set it. Over plain HTTP
  // browsers send it to localhost only.
  if (site !== null) return site === "same-origin";
  const origin = request.headers.get("origin");
  // Browsers leave it out of requests that only read.
  if (origin === null) return request.method === "GET" || request.method === "HEAD";
  return URL.parse(origin)?.host === new URL(request.url).host;
}
