// IP addresses, and networks of them. An IPv4 address is read in its form as
// an IPv6 address, so that one comparison is enough (RFC 4291, 2.5.5.2).

/** Eight groups of 16 bits. */
export type IpAddress = readonly number[];

export interface Network {
  readonly address: IpAddress;
  /** How many leading bits all its addresses share. */
  readonly bits: number;
}

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
/** Its characters: a URL would read `]` as the end, and more as a path. */
const IPV6 = /^([\da-f:.]+)(?:%.*)?$/i;
/** The longest address with a zone. No text beyond it is parsed. */
const LENGTH_MAX = 64;
const MAPPED = [0, 0, 0, 0, 0, 0xff_ff];

/** Undefined if the text is no address. A zone (`%eth0`) is left out. */
export function ipAddress(text: string): IpAddress | undefined {
  if (text.length > LENGTH_MAX) return undefined;
  const [, ...bytes] = IPV4.exec(text)?.map(Number) ?? [];
  if (bytes.length === 4) {
    const [a = 0, b = 0, c = 0, d = 0] = bytes;
    return bytes.some((byte) => byte > 255) ? undefined : [...MAPPED, (a << 8) | b, (c << 8) | d];
  }
  const [, ipv6] = IPV6.exec(text) ?? [];
  // A URL writes IPv6 in one form: no IPv4 tail, and one `::` at most.
  const host = ipv6 === undefined ? undefined : URL.parse(`http://[${ipv6}]`)?.hostname;
  if (host === undefined) return undefined;
  const [head = [], tail = []] = host
    .slice(1, -1)
    .split("::")
    .map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16));
}

/** An address, or one with a length such as `10.0.0.0/8`. */
export function network(text: string): Network | undefined {
  const [start = "", length, ...rest] = text.split("/");
  const address = ipAddress(start);
  if (address === undefined || rest.length > 0) return undefined;
  if (length === undefined) return { address, bits: 128 };
  const isIpv4 = IPV4.test(start);
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
  if (!(bits <= (isIpv4 ? 32 : 128))) return undefined;
  return { address, bits: isIpv4 ? 96 + bits : bits };
}

export function isIn({ address: start, bits }: Network, address: IpAddress): boolean {
  return address.every((group, i) => {
    const shared = Math.min(16, Math.max(0, bits - 16 * i));
    return group >> (16 - shared) === (start[i] ?? 0) >> (16 - shared);
  });
}

/** An IPv4 address, if it is one in the form of IPv6. */
export function ipv4Of(address: IpAddress): string | undefined {
  if (!MAPPED.every((group, i) => address[i] === group)) return undefined;
  return address
    .slice(6)
    .flatMap((group) => [group >> 8, group & 255])
    .join(".");
}
