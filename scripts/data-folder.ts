// The folder in which a server keeps its data, for one server at a time: another would take what the
// first has reserved for left behind by a crash, and refund it.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "./command.ts";

const ANSWER_TIMEOUT_MS = 1_000;
/** A server that was just told to end needs a while. */
const WAIT_MS = 8_000;
const POLL_MS = 100;

/** Who holds a folder: whoever answers at this port with this word. */
interface Holder {
  readonly port: number;
  readonly word: string;
}

/** Makes the folder if it is not there, and holds it until this process ends, however it ends. */
export async function holdFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw new Failure(`--persist-to ${folder} cannot be used as a folder: ${error.message}.`);
  });
  const lock = join(folder, "server.lock");
  const holder = await answering();
  const end = performance.now() + WAIT_MS;
  while (!(await isWritten(lock, holder))) {
    // Left behind. A process id would tell less: it may be somebody else's by now.
    if (!(await isHeld(lock))) await rm(lock, { force: true });
    else if (performance.now() < end) await delay(POLL_MS);
    else {
      throw new Failure(
        `Another server keeps its data in ${folder}: end that one, or choose another folder with --persist-to.`,
      );
    }
  }
}

async function answering(): Promise<Holder> {
  const word = randomUUID();
  const server = createServer((socket) => socket.on("error", () => {}).end(word)).unref();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, word };
}

/** False if there is such a file already. */
async function isWritten(lock: string, holder: Holder): Promise<boolean> {
  try {
    await writeFile(lock, JSON.stringify(holder), { flag: "wx" });
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    throw new Failure(`Nothing can be written to ${lock}: ${message}.`);
  }
}

async function isHeld(lock: string): Promise<boolean> {
  try {
    const { port, word }: Holder = JSON.parse(await readFile(lock, "utf8"));
    const socket = connect(port, "127.0.0.1").setTimeout(ANSWER_TIMEOUT_MS);
    socket.on("timeout", () => socket.destroy(new Error("no answer")));
    return (await text(socket)) === word;
  } catch {
    // Gone, unreadable, or nobody answers.
    return false;
  }
}
