// Reads files within bounds of time and memory: in a thread that is ended when
// a file takes too much of either. The next file gets a fresh one.

import { Worker } from "node:worker_threads";
import type { Read } from "./readers/read.ts";

export type Kind = "html" | "pdf" | "docx" | "mdx" | "text";

export interface ReadOptions {
  readonly url?: string | undefined;
  readonly select?: readonly string[];
  readonly exclude?: readonly string[];
  /** That of the `Content-Type` header. */
  readonly charset?: string | undefined;
}

export interface Job {
  readonly kind: Kind;
  readonly bytes: Uint8Array;
  readonly options: ReadOptions;
}

export interface Bounds {
  readonly milliseconds: number;
  /** Of the whole process, more than before the file. */
  readonly bytes: number;
}

const BOUNDS: Bounds = { milliseconds: 30_000, bytes: 1024 ** 3 };
const HEAP_MB = 512;
const STACK_MB = 4;
const LOOK_MS = 50;

export class Reading {
  readonly #bounds: Bounds;
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(bounds: Bounds = BOUNDS) {
    this.#bounds = bounds;
  }

  /** Never throws for what a file holds. One file is read at a time. */
  read(kind: Kind, bytes: Uint8Array, options: ReadOptions = {}): Promise<Read> {
    const read = this.#last.then(() => this.#read({ kind, bytes, options }));
    this.#last = read;
    return read;
  }

  async end(): Promise<void> {
    await this.#last;
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #read(job: Job): Promise<Read> {
    this.#worker ??= new Worker(new URL("./read-worker.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, stackSizeMb: STACK_MB },
      // Libraries warn of what does not matter here.
      stdout: true,
      stderr: true,
    });
    const worker = this.#worker;
    const { milliseconds, bytes } = this.#bounds;
    const before = process.memoryUsage.rss();
    return new Promise<Read>((resolve) => {
      const finish = (read: Read, isLost: boolean) => {
        clearTimeout(deadline);
        clearInterval(look);
        for (const event of ["message", "error", "exit"]) worker.removeAllListeners(event);
        if (isLost) {
          this.#worker = undefined;
          // An ended thread may still report why it ended.
          worker.on("error", () => {});
          void worker.terminate().then(() => resolve(read));
        } else resolve(read);
      };
      const deadline = setTimeout(
        () => finish({ reason: `reading it takes longer than ${milliseconds / 1_000} s.` }, true),
        milliseconds,
      );
      const look = setInterval(() => {
        if (process.memoryUsage.rss() - before > bytes) finish({ reason: TOO_MUCH_MEMORY }, true);
      }, LOOK_MS);
      worker.on("message", (read: Read) => finish(read, false));
      worker.on("error", (error: NodeJS.ErrnoException) => {
        const isMemory = error.code === "ERR_WORKER_OUT_OF_MEMORY";
        finish({ reason: isMemory ? TOO_MUCH_MEMORY : `its reader fails: ${error.message}` }, true);
      });
      worker.on("exit", () => finish({ reason: "its reader ended." }, true));
      worker.postMessage(job);
    });
  }
}

const TOO_MUCH_MEMORY = "reading it takes too much memory.";
