// A data folder is for one server at a time: a second one would refund the
// reservations of the first.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, readFile, stat, unlink, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { Failure, systemReason } from "./command.ts";

const ANSWER_TIMEOUT_MS = 1_000;
/** A server that is ending needs some time. */
const WAIT_MS = 8_000;
const POLL_MS = 100;
/** The permissions of the group and of others in a mode. */
const OTHERS = 0o077;

/** It answers at this port with this word. */
interface Holder {
  readonly port: number;
  readonly word: string;
}

/**
 * Makes the folder and holds it until this process ends. From then on this
 * process and its children make files for their owner only.
 * @param isOurs It may be closed to other users.
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
    // Its holder has ended. Process ids are reused, so they tell less.
    if (!(await isHeld(lock))) await unlink(lock).catch(absent);
    else if (performance.now() < end) await delay(POLL_MS);
    else {
      throw new Failure(
        `Another server keeps its data in ${folder}: end that one, or choose another folder with --persist-to.`,
      );
    }
  }
}

/** `recursive` of mkdir loops for ever in /proc. */
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

/** Returns false if the file exists. */
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
    // No file, or no answer.
    return false;
  }
}

/** Another server may have deleted the file first. */
function absent(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
