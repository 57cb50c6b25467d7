// A TCP proxy on the loopback that delays every byte, FIN and RST,
// like a distant network: order is kept, nothing is lost.
// It reads as fast as it can, so the server cannot tell
// when the client behind it stops reading.

import { connect, createServer, type Socket } from "node:net";
import { listen } from "./listen.ts";

const NOTHING = Buffer.alloc(0);

export interface DelayProxy {
  /** The target's url through this proxy. */
  readonly url: string;
  close(): Promise<void>;
}

/** Delay in one direction; a round trip takes twice as long. */
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
  const url = await listen(server);
  return {
    url,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function passOn(from: Socket, to: Socket, delayMs: number): void {
  // Timers of one duration fire in the order they were set.
  const later = (act: () => void) => setTimeout(() => to.destroyed || act(), delayMs);
  from.on("data", (bytes) =>
    later(() => {
      to.write(bytes);
      // A closed peer answers with a RST.
      // After its FIN only a write makes that RST visible.
      if (to.readableEnded) to.write(NOTHING);
    }),
  );
  from.on("end", () => later(() => to.end()));
  from.on("error", () => later(() => reset(to)));
}

/** Sends a pending FIN first: the system cannot reset in the middle of it. */
function reset(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) {
    socket.once("finish", () => socket.resetAndDestroy());
  } else socket.resetAndDestroy();
}
