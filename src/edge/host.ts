// The host that a request names: whether it is one, and whether this server may be asked by it. A site that lets
// its own name lead to 127.0.0.1 (DNS rebinding) and a server there are one site to a browser: its pages could
// read all that the server gives to anyone.

import { ServiceError } from "../errors.ts";

/** What `Host` may hold (RFC 3986): a URL would take more for a host, and some of it for a path. */
const HOST = /^[\w.~!$&'()*+,;=%:[\]-]+$/;
/** A name or an address in brackets, and a port. */
const NAME_AND_PORT = /^([^\s:@/?#[\]]+|\[[\da-f:.]+\])(?::\d*)?$/;

const READS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** The URL of a request. Throws INVALID_REQUEST if its host cannot be one. */
export function urlOf(request: Request): URL {
  const url = URL.parse(request.url);
  if (url !== null && HOST.test(request.headers.get("host") ?? url.host)) return url;
  throw new ServiceError(
    "INVALID_REQUEST",
    "The header Host names no host. Send the name or the address of this server.",
  );
}

/**
 * Throws FORBIDDEN for a request to any other host than these, at whatever port, and for one that does more than
 * read, from a page of neither these hosts nor these origins.
 * @param hosts In lower case, IPv6 in brackets. Empty: every host is answered.
 * @param origins Exact and in lower case, as CORS_ORIGINS has them.
 */
export function checkHost(
  request: Request,
  url: URL,
  hosts: readonly string[],
  origins: readonly string[],
): void {
  if (hosts.length === 0) return;
  const isKnown = (host: string) => hosts.includes(nameOf(host));
  // The rest of the Worker goes by the URL; the header may hold more than the URL says.
  const { host } = url;
  if (!isKnown(host) || !isKnown(request.headers.get("host") ?? host)) {
    throw new ServiceError(
      "FORBIDDEN",
      `This server answers only to ${hosts.join(", ")}. To use another name, start it with --host NAME, or add the name to ALLOWED_HOSTS.`,
    );
  }
  // `wrangler dev` lets a header that any page can send, MF-Original-URL, take the place of the URL and of Host.
  // No page chooses its Origin, which it sends with whatever may start a session; what only reads needs one.
  const origin = READS.has(request.method) ? null : request.headers.get("origin");
  if (
    origin !== null &&
    !origins.includes(origin.toLowerCase()) &&
    !isKnown(URL.parse(origin)?.host ?? "")
  ) {
    throw new ServiceError(
      "FORBIDDEN",
      "Pages of this origin may not use this server. Add the origin to CORS_ORIGINS, or start the server with --host NAME.",
    );
  }
}

/** Without the port; empty for what is no host. */
function nameOf(host: string): string {
  return NAME_AND_PORT.exec(host.toLowerCase())?.[1] ?? "";
}
