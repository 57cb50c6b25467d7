// Where a request came from: what the readers of one home share.

/**
 * The address that a request came from, as its provider counts: of IPv6 the first 64 bits, since any
 * home has the rest to itself. Plain workerd tells it in `cf`, which no client can set; Cloudflare in a
 * header that it sets itself.
 */
export function addressOf(request: Request): string {
  const peer = (request as { readonly cf?: { readonly clientIp?: string } }).cf?.clientIp;
  const address =
    peer === undefined
      ? (request.headers.get("cf-connecting-ip") ?? "")
      : peer.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  return address.includes(":") ? `${networkOf(address)}::/64` : address;
}

/** The first four groups of an IPv6 address, without leading zeros. */
function networkOf(address: string): string {
  const [head = "", tail] = address.split("::", 2);
  const groups = head.split(":").filter((group) => group !== "");
  if (tail !== undefined) {
    const rest = tail.split(":").filter((group) => group !== "");
    while (groups.length + rest.length < 8) groups.push("0");
    groups.push(...rest);
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
