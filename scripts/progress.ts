// The progress of a command on standard error: a bar in a terminal, elsewhere a
// line every few seconds.

import { printable } from "./printable.ts";

const BAR_WIDTH = 30;
const REDRAW_MS = 50;
const LINE_MS = 5_000;

export class Progress {
  readonly #label: string;
  #total: number;
  #done = 0;
  #shownAt: number;

  constructor(label: string, total: number) {
    this.#label = label;
    this.#total = total;
    this.#shownAt = Date.now();
  }

  /** Where more is found on the way. */
  expect(total: number): void {
    this.#total = total;
  }

  advance(count = 1): void {
    this.#done += count;
    const now = Date.now();
    if (now - this.#shownAt < (process.stderr.isTTY ? REDRAW_MS : LINE_MS)) return;
    this.#shownAt = now;
    this.#show();
  }

  /** Prints a line above the bar. */
  say(line: string): void {
    this.clear();
    console.error(printable(line));
    if (process.stderr.isTTY) this.#show();
  }

  /** Prints a line to standard output, unless there is a bar. */
  log(line: string): void {
    if (!process.stderr.isTTY) console.log(printable(line));
  }

  /** Removes the bar. */
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
