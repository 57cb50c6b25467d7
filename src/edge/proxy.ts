// A reverse proxy before plain workerd. It tells in headers who asked it, over
// what, and by which name. Any client can send these headers too, so they count
// only on a connection from an address that the operator trusts.

import { invalid, list, type Variables } from "../config.ts";
import { kept } from "../kept.ts";
import { peerOf, withoutPort } from "./address.ts";
import { ipAddress, isIn, type Network, network } from "./ip-address.ts";

/** Throws UNAVAILABLE for what is no address and no network. */
export const trustedProxies = kept((env: Variables) =>
  list(env, "TRUSTED_PROXIES", ",")
    .filter((text) => text !== "")
    .map((text): Network => {
      const trusted = network(text);
      // With all addresses trusted, every client could write these headers.
      if (trusted !== undefined && !/\/0+$/.test(text)) return trusted;
      throw invalid(
        "TRUSTED_PROXIES",
        "must be addresses or networks such as 127.0.0.1, 10.0.0.0/8 or fd00::/8, comma-separated",
      );
    }),
);

/**
 * The request as the client sent it to the proxy. It is the same object unless
 * a trusted proxy passed it on.
 */
export function asSent(request: Request, trusted: readonly Network[]): Request {
  const peer = trusted.length === 0 ? undefined : peerOf(request);
  if (peer === undefined || !isTrusted(peer, trusted)) return request;
  const url = new URL(request.url);
  const scheme = lastOf(request, "x-forwarded-proto")?.toLowerCase();
  if (scheme === "https" || scheme === "http") url.protocol = scheme;
  const host = lastOf(request, "x-forwarded-host");
  if (host !== undefined) moveTo(url, host);
  const sent = new Request(url.href, request);
  sent.headers.set("host", url.host);
  const clientIp = clientOf(request, peer, trusted);
  return new Request(sent, { cf: { ...request.cf, clientIp } as CfProperties });
}

/**
 * The nearest address that is no trusted proxy: each proxy appends the address
 * that it was asked from. What a client wrote itself is farther away.
 */
function clientOf(request: Request, peer: string, trusted: readonly Network[]): string {
  const hops = (request.headers.get("x-forwarded-for") ?? "").split(",");
  let nearest = peer;
  for (const hop of hops.reverse()) {
    const address = withoutPort(hop.trim());
    // A proxy that hides it: the proxy counts as the client.
    if (ipAddress(address) === undefined) return nearest;
    nearest = address;
    if (!isTrusted(address, trusted)) return nearest;
  }
  return nearest;
}

function isTrusted(text: string, trusted: readonly Network[]): boolean {
  const address = ipAddress(text);
  return address !== undefined && trusted.some((one) => isIn(one, address));
}

/** What the nearest proxy wrote. */
function lastOf(request: Request, name: string): string | undefined {
  return request.headers.get(name)?.split(",").at(-1)?.trim();
}

/** Leaves the URL as it is if the text is no host. edge/host.ts checks it. */
function moveTo(url: URL, host: string): void {
  if (!/^[\w.-]+(?::\d+)?$|^\[[\da-f:.]+\](?::\d+)?$/i.test(host)) return;
  url.port = "";
  url.host = host;
}
