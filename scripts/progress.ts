// How far a command has come: a bar that fills in a terminal, and elsewhere a line now and then. On
// standard error, so that what the command prints can be piped on.

import { printable } from "./printable.ts";

const BAR_WIDTH = 30;
const REDRAW_MS = 50;
const LINE_MS = 5_000;

export class Progress {
  readonly #label: string;
  readonly #total: number;
  #done = 0;
  #shownAt: number;

  constructor(label: string, total: number) {
    this.#label = label;
    this.#total = total;
    this.#shownAt = Date.now();
  }

  advance(count = 1): void {
    this.#done += count;
    const now = Date.now();
    if (now - this.#shownAt < (process.stderr.isTTY ? REDRAW_MS : LINE_MS)) return;
    this.#shownAt = now;
    this.#show();
  }

  /** A line among the others, above the bar. */
  say(line: string): void {
    this.clear();
    console.error(printable(line));
    if (process.stderr.isTTY) this.#show();
  }

  /** A line for the record, where no bar shows how things are going. */
  log(line: string): void {
    if (!process.stderr.isTTY) console.log(printable(line));
  }

  /** Takes the bar away, for whatever is printed next. */
  clear(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  }

  #show(): void {
    const counted = `${this.#label}: ${this.#done} of ${this.#total}`;
    if (!process.stderr.isTTY) {
      console.error(counted);
      return;
    }
    const filled = Math.floor((BAR_WIDTH * this.#done) / Math.max(1, this.#total));
    const bar = "█".repeat(filled).padEnd(BAR_WIDTH, "░");
    process.stderr.write(`\r\x1b[K${bar} ${counted}`);
  }
}
