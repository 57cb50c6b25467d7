// Which hosts this server answers to. If a site's name resolves to 127.0.0.1
// (DNS rebinding), browsers take a server there for that site, and its pages
// could read all that the server gives to anyone.

import { ServiceError } from "../errors.ts";

/** RFC 3986. A URL would accept more, and read some of it as a path. */
const HOST = /^[\w.~!$&'()*+,;=%:[\]-]+$/;
/** A name, or an address in brackets, and a port. */
const NAME_AND_PORT = /^([^\s:@/?#[\]]+|\[[\da-f:.]+\])(?::\d*)?$/;

const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** A request's URL. Throws INVALID_REQUEST if its host cannot be one. */
export function urlOf(request: Request): URL {
  const url = URL.parse(request.url);
  if (url !== null && HOST.test(request.headers.get("host") ?? url.host)) return url;
  throw new ServiceError(
    "INVALID_REQUEST",
    "The header Host names no host. Send the name or the address of this server.",
  );
}

/**
 * Throws FORBIDDEN for a request to a host that is not listed, on any port, and
 * for one that may write from a page of neither these hosts nor these origins.
 * @param hosts In lower case, IPv6 in brackets. Empty: all are answered.
 * @param origins Exact and in lower case, as `allowedOrigins` of cors.ts.
 */
export function checkHost(
  request: Request,
  url: URL,
  hosts: readonly string[],
  origins: readonly string[],
): void {
  if (hosts.length === 0) return;
  const isKnown = (host: string) => hosts.includes(nameOf(host));
  // The Worker uses the URL; the header may differ from it.
  const { host } = url;
  if (!isKnown(host) || !isKnown(request.headers.get("host") ?? host)) {
    throw new ServiceError(
      "FORBIDDEN",
      `This server answers only to ${hosts.filter(isShown).join(", ")}. To use another name, start it with --name NAME, or add the name to ALLOWED_HOSTS.`,
    );
  }
  // `wrangler dev` replaces the URL and Host by MF-Original-URL, a header that
  // any page can send. A page cannot choose its Origin, and browsers send it
  // with every request that may write.
  const origin = READS.has(request.method) ? null : request.headers.get("origin");
  if (
    origin !== null &&
    !origins.includes(origin.toLowerCase()) &&
    !isKnown(URL.parse(origin)?.host ?? "")
  ) {
    throw new ServiceError(
      "FORBIDDEN",
      "Pages of this origin may not use this server. Add the origin to EMBED_ORIGINS or CORS_ORIGINS, or start the server with --name NAME.",
    );
  }
}

/**
 * Throws FORBIDDEN for a request from a page that is neither of this host nor
 * of an allowed origin, as the Model Context Protocol demands. Programs send no
 * Origin.
 */
export function checkOrigin(request: Request, origins: readonly string[]): void {
  const origin = request.headers.get("origin");
  if (origin === null || origins.includes(origin.toLowerCase())) return;
  if (URL.parse(origin)?.host === new URL(request.url).host) return;
  throw new ServiceError(
    "FORBIDDEN",
    "Pages of this origin may not use this server. Add the origin to CORS_ORIGINS.",
  );
}

/** Strangers need not know the addresses of the server's networks. */
function isShown(host: string): boolean {
  return /^(?:127\.0\.0\.1|\[::1\])$/.test(host) || !/^[\d.]+$|^\[/.test(host);
}

/** Without the port; empty if it is not a host. */
function nameOf(host: string): string {
  return NAME_AND_PORT.exec(host.toLowerCase())?.[1] ?? "";
}
