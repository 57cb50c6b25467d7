// What reading a passage closely has given, for passages that are found again.
// It is kept in memory only, until its passage changes.

import { terms, UNSPACED } from "../text/analyzer.ts";
import { type TextBlock, unpackBlocks } from "../text/blocks.ts";
import { copyKey } from "../text/copies.ts";

/** Of their texts, in UTF-16 units: at most about 10 MB. */
const LENGTH_MAX = 1_000_000;
/** A character of a script without spaces has two terms. */
const UNSPACED_WEIGHT = 10;
const UNSPACED_CHARACTER = new RegExp(`[${UNSPACED}]`, "v");

/** A passage as it is stored. */
interface Stored {
  readonly id: number;
  readonly title: string;
  /** JSON: a list of strings. */
  readonly heading: string;
  readonly text: string;
  /** As packBlocks writes them. */
  readonly blocks: string;
}

/** What its columns say. Each is read when it is needed first. */
export class ReadPassage {
  readonly #stored: Stored;
  readonly heading: readonly string[];
  readonly copyKey: string;
  #blocks: readonly TextBlock[] | undefined;
  #terms: readonly string[] | undefined;

  constructor(stored: Stored) {
    this.#stored = stored;
    this.heading = JSON.parse(stored.heading);
    this.copyKey = copyKey(this.heading, stored.text);
  }

  get blocks(): readonly TextBlock[] {
    this.#blocks ??= unpackBlocks(this.#stored.blocks);
    return this.#blocks;
  }

  /** Of title, headings and text, in order. */
  get terms(): readonly string[] {
    const { title, text } = this.#stored;
    this.#terms ??= terms([title, ...this.heading, text].join("\n"));
    return this.#terms;
  }
}

export class ReadPassages {
  /** By id, the least recent first. */
  readonly #read = new Map<number, ReadPassage>();
  readonly #lengths = new Map<number, number>();
  #length = 0;

  of(stored: Stored): ReadPassage {
    const known = this.#read.get(stored.id);
    const read = known ?? new ReadPassage(stored);
    this.#drop(stored.id);
    const weight = UNSPACED_CHARACTER.test(stored.text) ? UNSPACED_WEIGHT : 1;
    const length = weight * stored.text.length;
    this.#read.set(stored.id, read);
    this.#lengths.set(stored.id, length);
    this.#length += length;
    for (const oldest of this.#read.keys()) {
      if (this.#length <= LENGTH_MAX) break;
      this.#drop(oldest);
    }
    return read;
  }

  /** Call it with each change of these passages. */
  drop(first: number, count: number): void {
    for (let id = first; id < first + count; id += 1) this.#drop(id);
  }

  /** Call it with any other change of passages. */
  forget(): void {
    this.#read.clear();
    this.#lengths.clear();
    this.#length = 0;
  }

  #drop(id: number): void {
    if (!this.#read.delete(id)) return;
    this.#length -= this.#lengths.get(id) ?? 0;
    this.#lengths.delete(id);
  }
}
