// A data folder is for one server at a time: a second one would refund the
// reservations of the first. Its lock says where that server listens.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { chmod, mkdir, rename, stat, unlink } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { Failure, PROJECT, systemReason } from "./command.ts";

/** The default folder of each command that serves, in the project. */
export const DATA_FOLDERS = { start: ".wrangler/state", serve: ".belay/serve" } as const;

const ANSWER_TIMEOUT_MS = 1_000;
/** A server that is ending needs some time. */
const WAIT_MS = 8_000;
const POLL_MS = 100;
/** Another process has the lock. */
const SQLITE_BUSY = 5;
/** The permissions of the group and of others in a mode. */
const OTHERS = 0o077;

/** It answers at this port with this word. */
interface Holder {
  readonly port: number;
  readonly word: string;
  /** Where its server listens; undefined until that is ready. */
  readonly url?: string;
  /** Of the lock's file. A copy has another; old releases wrote none. */
  readonly mark?: string;
}

export interface HeldFolder {
  /** Writes down where the server of this folder listens. */
  announce(url: string): Promise<void>;
  /** The server has ended, so the folder can be copied. */
  release(): Promise<void>;
}

/**
 * Makes the folder and holds it until this process ends. From then on this
 * process and its children make files for their owner only.
 * @param isOurs It may be closed to other users.
 */
export async function holdFolder(folder: string, isOurs: boolean): Promise<HeldFolder> {
  process.umask(OTHERS);
  try {
    await makeFolder(folder);
    const lock = lockOf(folder);
    const holder = await hold(folder);
    await closeToOthers(folder, isOurs);
    return {
      announce: (url) => replace(lock, { ...holder, url }),
      release: () => unlink(lock).catch(absent),
    };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`--persist-to ${folder} cannot be used as a folder: ${systemReason(error)}.`);
  }
}

/** The addresses of the running servers that use the default folders. */
export async function servedHere(): Promise<string[]> {
  const holders = Object.values(DATA_FOLDERS).map((folder) =>
    holderOf(lockOf(join(PROJECT, folder))),
  );
  return (await Promise.all(holders)).flatMap((holder) => holder?.url ?? []);
}

function lockOf(folder: string): string {
  return join(folder, "server.lock");
}

async function hold(folder: string): Promise<Holder> {
  const lock = lockOf(folder);
  const holder = await answering();
  const end = performance.now() + WAIT_MS;
  const wait = async () => {
    if (performance.now() < end) return delay(POLL_MS);
    throw new Failure(
      `Another server keeps its data in ${folder}: end that one, or choose another folder with --persist-to.`,
    );
  };
  while (!isHeld(folder)) await wait();
  while (!isWritten(lock, holder)) {
    if (isCopied(lock)) throw copied(folder);
    // Its holder has ended. Process ids are reused, so they tell less.
    if (await holderOf(lock)) await wait();
    else await unlink(lock).catch(absent);
  }
  return holder;
}

function copied(folder: string): Failure {
  return new Failure(
    `${folder} is a copy of a folder whose server was running, or had been killed. The files of a running server are of different moments: end it and copy them again. If none was running, delete ${lockOf(folder)}.`,
  );
}

/** Open until this process ends, when the system gives the lock back. */
let open: DatabaseSync | undefined;

/**
 * Takes a lock of the system, which reaches a server in another container: it
 * does not answer here. Some file systems have no locks.
 */
function isHeld(folder: string): boolean {
  try {
    open ??= new DatabaseSync(join(folder, "server.held"));
    open.exec("PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    return (error as { readonly errcode?: number }).errcode !== SQLITE_BUSY;
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
function isWritten(lock: string, holder: Holder): boolean {
  try {
    writeMarked(lock, holder, "wx");
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** In one step: another process would take half a file for one without a server. */
async function replace(lock: string, holder: Holder): Promise<void> {
  const draft = `${lock}.${process.pid}`;
  writeMarked(draft, holder, "w");
  await rename(draft, lock);
}

/** Without a pause: another process would read half a file. */
function writeMarked(path: string, holder: Holder, flag: "w" | "wx"): void {
  const file = openSync(path, flag);
  try {
    writeFileSync(file, JSON.stringify({ ...holder, mark: markOf(file) }));
  } finally {
    closeSync(file);
  }
}

/**
 * When the file was made, which stays when it is renamed, and in snapshots of
 * the whole file system. Where that is not known, its number.
 */
function markOf(file: number): string {
  const { birthtimeNs, ino } = fstatSync(file, { bigint: true });
  return `${birthtimeNs || ino}`;
}

/** Whether the file was written as another one. */
function isCopied(lock: string): boolean {
  try {
    const [{ mark }, own] = read(lock);
    return mark !== undefined && mark !== own;
  } catch {
    return false;
  }
}

function read(lock: string): [holder: Holder, mark: string] {
  const file = openSync(lock, "r");
  try {
    return [JSON.parse(readFileSync(file, "utf8")), markOf(file)];
  } finally {
    closeSync(file);
  }
}

/** Undefined if the process that wrote the file has ended. */
async function holderOf(lock: string): Promise<Holder | undefined> {
  try {
    const [holder] = read(lock);
    const socket = connect(holder.port, "127.0.0.1").setTimeout(ANSWER_TIMEOUT_MS);
    socket.on("timeout", () => socket.destroy(new Error("no answer")));
    return (await text(socket)) === holder.word ? holder : undefined;
  } catch {
    // No file, or no answer.
    return undefined;
  }
}

/** Another server may have deleted the file first. */
function absent(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
