// A TCP proxy on the loopback that holds every byte, FIN and RST back for as long as a distant network
// would: order is kept, nothing is lost. It reads as fast as it can, so that a client that stops
// reading is not felt behind it.

import { type AddressInfo, connect, createServer, type Socket } from "node:net";

const NOTHING = Buffer.alloc(0);

export interface DelayProxy {
  /** Where the target is to be found from now on. */
  readonly url: string;
  close(): Promise<void>;
}

/** `delayMs` is one way: it adds twice that to a round trip. */
export async function startDelayProxy({
  target,
  delayMs,
}: {
  target: string;
  delayMs: number;
}): Promise<DelayProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
    passOn(near, far, delayMs);
    passOn(far, near, delayMs);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    }
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve, reject) => server.once("listening", resolve).once("error", reject));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function passOn(from: Socket, to: Socket, delayMs: number): void {
  // Timers of one duration fire in the order in which they were set.
  const later = (act: () => void) => setTimeout(() => to.destroyed || act(), delayMs);
  from.on("data", (bytes) =>
    later(() => {
      to.write(bytes);
      // Who has closed answers with a RST, and once the FIN was read nothing but a write tells of it.
      if (to.readableEnded) to.write(NOTHING);
    }),
  );
  from.on("end", () => later(() => to.end()));
  from.on("error", () => later(() => reset(to)));
}

/** A FIN that is on its way goes first: the system refuses a reset in the middle of it. */
function reset(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) {
    socket.once("finish", () => socket.resetAndDestroy());
  } else socket.resetAndDestroy();
}
