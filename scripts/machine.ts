// The addresses of this machine, and which of them a server is reached at.

import { BlockList, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";

/** Where a server listens by default. */
export const LOOPBACK_ADDRESS = "127.0.0.1";

/** Addresses that mean all those of a family. `::` takes IPv4 too. */
const EVERY_IPV4 = "0.0.0.0";
const EVERY = "::";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether only this machine reaches the address. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

/** Those by which others reach a server that listens on this one. */
export function addressesFor(host: string): readonly string[] {
  if (host === EVERY) return ofThisMachine();
  if (host === EVERY_IPV4) return ofThisMachine().filter((address) => !isIPv6(address));
  return host === LOOPBACK_ADDRESS ? [] : [host];
}

/** Without those that only this machine or only its own link reaches. */
export function ofThisMachine(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all
    .filter(({ address, internal }) => !internal && !address.startsWith("fe80:"))
    .map(({ address }) => address);
}

/** The address at which this machine itself asks the server. */
export function ownAddress(host: string): string {
  if (host === EVERY_IPV4) return LOOPBACK_ADDRESS;
  return host === EVERY ? "::1" : host;
}

export function urlAt(address: string, port: number): string {
  return `http://${bracketed(address)}:${port}`;
}

/** As a URL has it. */
export function bracketed(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}
