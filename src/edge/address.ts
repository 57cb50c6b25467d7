// Which address a request came from, as quotas count it.

import { ipAddress, ipv4Of } from "./ip-address.ts";

/**
 * An IPv4 address, or the /64 network of an IPv6 address: a provider gives a
 * home at least a whole /64, so it counts as one reader.
 */
export function addressOf(request: Request): string {
  const address = peerOf(request) ?? request.headers.get("cf-connecting-ip") ?? "";
  return address.includes(":") ? networkOf(address) : address;
}

/**
 * The address at the other end of the connection. Only plain workerd tells it,
 * as `cf.clientIp`, and no client can set it.
 */
export function peerOf(request: Request): string | undefined {
  const { clientIp } = (request as { readonly cf?: { readonly clientIp?: string } }).cf ?? {};
  return clientIp === undefined ? undefined : withoutPort(clientIp);
}

/** Of `192.0.2.1:80` and `[2001:db8::1]:80`. */
export function withoutPort(text: string): string {
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? [];
  // IPv6 without brackets has no port.
  return bracketed ?? text.replace(/^([^:]*):\d+$/, "$1");
}

function networkOf(text: string): string {
  const address = ipAddress(text);
  if (address === undefined) return text;
  const first = address.slice(0, 4).map((group) => group.toString(16));
  return ipv4Of(address) ?? `${first.join(":")}::/64`;
}
