// Which address a request came from, as quotas count it.

/**
 * An IPv4 address, or the /64 network of an IPv6 address: a provider gives a
 * home at least a whole /64, so it counts as one reader.
 */
export function addressOf(request: Request): string {
  // Clients can set neither. Plain workerd has `cf.clientIp`, with the port.
  const peer = (request as { readonly cf?: { readonly clientIp?: string } }).cf?.clientIp;
  const address =
    peer?.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1") ??
    request.headers.get("cf-connecting-ip") ??
    "";
  return address.includes(":") ? networkOf(address) : address;
}

function networkOf(address: string): string {
  // A URL writes IPv6 in one form: lower case, no leading zeros, no IPv4 tail.
  const host = URL.parse(`http://[${address.replace(/%.*/, "")}]`)?.hostname;
  if (host === undefined) return address;
  const [head = [], tail = []] = host
    .slice(1, -1)
    .split("::")
    .map((half) => half.split(":").filter((group) => group !== ""));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
  if (host.startsWith("[::ffff:") && tail.length === 3) {
    const bytes = tail.slice(1).flatMap((group) => {
      const number = Number.parseInt(group, 16);
      return [number >> 8, number & 255];
    });
    return bytes.join(".");
  }
  return `${groups.slice(0, 4).join(":")}::/64`;
}
