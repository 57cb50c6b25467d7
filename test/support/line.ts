// A connection between a browser and a server on the loopback.
// It has its own address, so the server sees a new client,
// and it can be cut.

import { connect, createServer, type Socket } from "node:net";
import { listen } from "./listen.ts";

export interface Line {
  /** The server's url over this line. */
  readonly url: string;
  /** Breaks every connection, and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

let lines = 0;

export async function startLine(target: string): Promise<Line> {
  const { hostname, port } = new URL(target);
  lines += 1;
  const localAddress = `127.${1 + (Math.floor(process.pid / 250) % 250)}.${process.pid % 250}.${1 + lines}`;
  const sockets = new Set<Socket>();
  let whole = true;
  const server = createServer({ noDelay: true }, (near) => {
    if (!whole) {
      near.resetAndDestroy();
      return;
    }
    const far = connect({ host: hostname, port: Number(port), localAddress, noDelay: true });
    near.pipe(far).pipe(near);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      // When one side ends, so does the other.
      socket.on("error", () => other.destroy());
      socket.once("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  const url = await listen(server);
  const cut = () => {
    whole = false;
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url,
    cut,
    mend() {
      whole = true;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}
