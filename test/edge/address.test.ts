// Which readers share one quota: those of one
// IPv4 address, or of one /64 network of IPv6.

import { describe, expect, it } from "vitest";
import { addressOf } from "../../src/edge/address.ts";

const NETWORK = "2001:db8:0:1::/64";

describe("the address of a request", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["2001:db8:0:1:2:3:4:5", NETWORK],
    ["2001:0DB8:0000:0001::1", NETWORK],
    ["2001:db8:0:1::", NETWORK],
    ["2001:db8::1:0:0:203.0.113.7", NETWORK],
    ["::1", "0:0:0:0::/64"],
    ["1::", "1:0:0:0::/64"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::FFFF:cb00:7107", "203.0.113.7"],
    ["0:0:0:0:0:ffff:203.0.113.7", "203.0.113.7"],
    ["64:ff9b::203.0.113.7", "64:ff9b:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["", ""],
    [":::", ":::"],
  ])("%s counts as %s", (address, counted) => {
    const headers = { "cf-connecting-ip": address };
    expect(addressOf(new Request("https://belay.test", { headers }))).toBe(counted);
  });

  it.each([
    ["203.0.113.7:50000", "203.0.113.7"],
    ["[2001:db8:0:1::1]:50000", NETWORK],
    ["[::ffff:203.0.113.7]:50000", "203.0.113.7"],
  ])("is that of the connection if the runtime knows it: %s", (clientIp, counted) => {
    const headers = { "cf-connecting-ip": "198.51.100.1" };
    const request = new Request("https://belay.test", { headers, cf: { clientIp } });
    expect(addressOf(request)).toBe(counted);
  });
});
