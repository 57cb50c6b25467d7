// What is known of the pages of a site from the last run: a file outside the
// project. Without it a run only fetches more.

import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import * as v from "valibot";

const Known = v.object({
  id: v.nullable(v.string()),
  etag: v.optional(v.string()),
  lastModified: v.optional(v.string()),
  /** That of the sitemap. */
  listed: v.optional(v.string()),
  /** What the server stored. */
  hash: v.optional(v.string()),
  /** Places in `addresses`: most pages of a site have the same links. */
  links: v.array(v.number()),
  /** In milliseconds since 1970. */
  at: v.number(),
});
const Whole = v.object({
  version: v.literal(2),
  /** When the run began that has not ended. */
  running: v.nullable(v.number()),
  pages: v.record(v.string(), Known),
  addresses: v.array(v.string()),
});

export type KnownPage = Omit<v.InferOutput<typeof Known>, "links"> & {
  readonly links: readonly string[];
};

/** A run that is killed repeats what it did since. */
const SAVE_EVERY_MS = 2_000;
/** An older run is not taken up again. */
const RESUMED_MS = 24 * 3_600_000;

export class State {
  readonly #path: string;
  readonly #pages: Map<string, KnownPage>;
  /** Pages that were read after this are not asked for again. */
  readonly resumedFrom: number | undefined;
  readonly #began: number;
  #savedAt = Date.now();
  #saving: Promise<void> = Promise.resolve();

  private constructor(path: string, pages: Map<string, KnownPage>, running: number | null) {
    this.#path = path;
    this.#pages = pages;
    const now = Date.now();
    this.resumedFrom = running !== null && now - running < RESUMED_MS ? running : undefined;
    this.#began = this.resumedFrom ?? now;
  }

  /** @param names What the state is of: server, collection, source, options. */
  static async open(names: readonly string[], folder = stateFolder()): Promise<State> {
    const name = createHash("sha256").update(JSON.stringify(names)).digest("hex").slice(0, 24);
    const path = join(folder, `${name}.json`);
    try {
      const read = v.parse(Whole, JSON.parse(await readFile(path, "utf8")));
      const pages = Object.entries(read.pages).map(([url, page]): [string, KnownPage] => {
        const links = page.links.flatMap((place) => read.addresses[place] ?? []);
        return [url, { ...page, links }];
      });
      return new State(path, new Map(pages), read.running);
    } catch {
      // There is none, or it is damaged: all pages are fetched.
      return new State(path, new Map(), null);
    }
  }

  get(url: string): KnownPage | undefined {
    return this.#pages.get(url);
  }

  async set(url: string, page: KnownPage | undefined): Promise<void> {
    if (page === undefined) this.#pages.delete(url);
    else this.#pages.set(url, page);
    if (Date.now() - this.#savedAt >= SAVE_EVERY_MS) await this.save(false);
  }

  /** @param isDone Whether the run has ended. */
  save(isDone: boolean): Promise<void> {
    this.#saving = this.#saving.then(() => this.#write(isDone));
    return this.#saving;
  }

  async #write(isDone: boolean): Promise<void> {
    this.#savedAt = Date.now();
    const places = new Map<string, number>();
    const place = (address: string) => {
      const known = places.get(address) ?? places.size;
      places.set(address, known);
      return known;
    };
    const pages = Array.from(this.#pages, ([url, { links, ...page }]) => {
      return [url, { ...page, links: links.map(place) }];
    });
    const whole: v.InferOutput<typeof Whole> = {
      version: 2,
      running: isDone ? null : this.#began,
      pages: Object.fromEntries(pages),
      addresses: [...places.keys()],
    };
    const next = `${this.#path}.${process.pid}`;
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      await writeFile(next, JSON.stringify(whole), { mode: 0o600 });
      await rename(next, this.#path);
    } catch (error) {
      await rm(next, { force: true });
      console.error(`What is known of the site cannot be kept: ${(error as Error).message}`);
    }
  }
}

function stateFolder(): string {
  const home = process.env.XDG_STATE_HOME || join(homedir(), ".local", "state");
  return join(home, "belay", "ingest");
}
