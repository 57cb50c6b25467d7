// The origin of a page, as browsers and app shells write it in the header Origin, and whether it is ours.

/** Schemes of the web whose pages are never the origin of a request. */
const NO_PAGE = /^(?:wss?|ftp|file|blob|data|javascript|about):/;

/**
 * The origin that a text names, in the only form in which it is ever sent: no path, no default port,
 * lower case. Undefined if it names none. Apps have schemes of their own, such as `tauri:`, of which
 * a URL knows no origin (RFC 6454, section 4, leaves them to the browser).
 */
export function originOf(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || NO_PAGE.test(url.protocol) || /[*\s]/.test(text)) return undefined;
  if (/^https?:$/.test(url.protocol)) return url.origin;
  const { protocol, host } = url;
  return /^[\w.~-]+(?::\d+)?$/.test(host) ? `${protocol}//${host}`.toLowerCase() : undefined;
}

/**
 * The origin that was meant by a text that is none as it is, if that can be told. A text may be a
 * secret in the wrong place, so nothing of it is given back that does not look like a host.
 */
export function meantOrigin(text: string): string | undefined {
  // As in a list of JSON, or of another separator.
  const [first = ""] = text.replace(/^[["'\s]+/, "").split(/[\s"';\]]/, 1);
  const plain = first
    .replace(/^blob:|^\/\//, "")
    .replace(/^ws(s?:\/\/)/i, "http$1")
    // One of those that a wildcard was for.
    .replace(/^(https?:\/\/)\*\./i, "$1www.")
    .replace(/:\*/, "");
  if (LOCAL.test(plain)) return originOf(`http://${plain}`);
  return originOf(HOST.test(plain) ? `https://${plain}` : plain);
}

const LOCAL = /^(?:localhost|(?:\d{1,3}\.){3}\d{1,3}|\[[\da-f:]+\])(?::\d{1,5})?(?:[/?#]|$)/i;
/** A name under a top-level domain, which is what no token or key looks like. */
const HOST = /^(?:[a-z\d-]{1,63}\.){1,9}[a-z]{2,24}(?::\d{1,5})?(?:[/?#]|$)/i;

/** CSRF: whether a page of this origin sends the request, as far as browsers say. */
export function isSameOrigin(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  // No page can set it. Browsers leave it out over plain HTTP, except to this machine.
  if (site !== null) return site === "same-origin";
  const origin = request.headers.get("origin");
  // Browsers leave this out only of what reads.
  if (origin === null) return request.method === "GET" || request.method === "HEAD";
  return URL.parse(origin)?.host === new URL(request.url).host;
}
