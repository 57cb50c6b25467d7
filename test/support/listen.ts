// Servers of the tests listen on the loopback.

import type { AddressInfo, Server } from "node:net";

/** Starts to listen, on a free port unless one is given. Returns the url. */
export async function listen(server: Server, port = 0): Promise<string> {
  server.listen(port, "127.0.0.1");
  await new Promise((resolve, reject) => server.once("listening", resolve).once("error", reject));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
