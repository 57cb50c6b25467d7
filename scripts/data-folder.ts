// The folder in which a server keeps its data, for one server at a time: another would take what the
// first has reserved for left behind by a crash, and refund it.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, readFile, stat, unlink, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { Failure, systemReason } from "./command.ts";

const ANSWER_TIMEOUT_MS = 1_000;
/** A server that was just told to end needs a while. */
const WAIT_MS = 8_000;
const POLL_MS = 100;
/** What a mode lets the group and all others do. */
const OTHERS = 0o077;

/** Who holds a folder: whoever answers at this port with this word. */
interface Holder {
  readonly port: number;
  readonly word: string;
}

/**
 * Makes the folder if it is not there, and holds it until this process ends, however it ends. What is made in
 * it from then on, by whatever this process starts too, is for its owner only.
 * @param isOurs No one else puts files there, so that it may be closed to others if it is open.
 */
export async function holdFolder(folder: string, isOurs: boolean): Promise<void> {
  process.umask(OTHERS);
  try {
    await makeFolder(folder);
    await hold(folder);
    await closeToOthers(folder, isOurs);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`--persist-to ${folder} cannot be used as a folder: ${systemReason(error)}.`);
  }
}

async function hold(folder: string): Promise<void> {
  const lock = join(folder, "server.lock");
  const holder = await answering();
  const end = performance.now() + WAIT_MS;
  while (!(await isWritten(lock, holder))) {
    // Left behind. A process id would tell less: it may be somebody else's by now.
    if (!(await isHeld(lock))) await unlink(lock).catch(absent);
    else if (performance.now() < end) await delay(POLL_MS);
    else {
      throw new Failure(
        `Another server keeps its data in ${folder}: end that one, or choose another folder with --persist-to.`,
      );
    }
  }
}

/** Not mkdir's own `recursive`, which tries for ever where nothing can be made, as in /proc. */
async function makeFolder(folder: string, mayMakeParent = true): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && mayMakeParent && dirname(folder) !== folder) {
      await makeFolder(dirname(folder));
      await makeFolder(folder, false);
    } else if (code !== "EEXIST" || !(await stat(folder)).isDirectory()) {
      throw error;
    }
  }
}

async function closeToOthers(folder: string, isOurs: boolean): Promise<void> {
  const { mode } = await stat(folder);
  if ((mode & OTHERS) === 0) return;
  if (isOurs) await chmod(folder, 0o700);
  else console.error(`Other users of this machine can look into ${folder}: chmod 700 closes it.`);
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
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
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

/** Another server may have deleted it first. */
function absent(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
