// Waits for changes in folders and files.

import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";

/** Editors write a file in several steps. */
const QUIET_MS = 300;
/** How often it looks whether a folder has gone, come back or been replaced. */
const LOOK_MS = 1_000;
/** The server may be down. */
const RETRY_MS = 3_000;

/** Changes below some paths, from when it is made. */
export class Changes {
  readonly #watched: Watched[] = [];
  readonly #look: NodeJS.Timeout;
  /** When to call back; undefined without a change. */
  #due: number | undefined;
  #wake: () => void = () => {};

  private constructor() {
    this.#look = setInterval(() => {
      for (const one of this.#watched) void one.look();
    }, LOOK_MS);
  }

  static async below(paths: readonly string[]): Promise<Changes> {
    const changes = new Changes();
    const soon = () => {
      changes.#due = Date.now() + QUIET_MS;
      changes.#wake();
    };
    for (const path of paths) changes.#watched.push(await Watched.of(path, soon));
    return changes;
  }

  /**
   * Calls back after changes, one call at a time, until the signal.
   * @param changed Whether all went well; if not, it is called again later.
   */
  async each(signal: AbortSignal, changed: () => Promise<boolean>): Promise<void> {
    signal.addEventListener("abort", () => this.#wake());
    while (!signal.aborted) {
      const wait = this.#due === undefined ? undefined : this.#due - Date.now();
      if (wait === undefined || wait > 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          if (signal.aborted) resolve();
          if (wait !== undefined) setTimeout(resolve, wait);
        });
        continue;
      }
      this.#due = undefined;
      if (!(await changed())) this.#due ??= Date.now() + RETRY_MS;
    }
  }

  end(): void {
    clearInterval(this.#look);
    for (const one of this.#watched) one.close();
  }
}

/** A path, also while nothing is there. */
class Watched {
  readonly #path: string;
  readonly #changed: () => void;
  #watcher: FSWatcher | undefined;
  /** Of the folder that is watched: another one may take its name. */
  #inode: number | undefined;

  private constructor(path: string, changed: () => void) {
    this.#path = path;
    this.#changed = changed;
  }

  static async of(path: string, changed: () => void): Promise<Watched> {
    const one = new Watched(path, changed);
    one.#watch(await inodeOf(path));
    return one;
  }

  async look(): Promise<void> {
    const inode = await inodeOf(this.#path);
    if (inode === this.#inode) return;
    this.close();
    this.#watch(inode);
    this.#changed();
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #watch(inode: number | undefined): void {
    this.#inode = inode;
    if (inode === undefined) return;
    try {
      this.#watcher = watch(this.#path, { recursive: true }, () => this.#changed());
      this.#watcher.on("error", () => this.#changed());
    } catch {
      // It has just gone: the next look finds it.
      this.#inode = undefined;
    }
  }
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch {
    // It is not there, or cannot be read now.
    return undefined;
  }
}
