// A growing text in a terminal. Only the lines that change are written again.

import { stripVTControlCharacters } from "node:util";
import { columnsOf } from "./lines.ts";

/** What it needs of `process.stdout`. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  write(text: string): unknown;
}

export class Screen {
  readonly #terminal: Terminal;
  #shown: readonly string[] = [];

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Shows these lines instead of those before. */
  draw(lines: readonly string[]): void {
    const differs = lines.findIndex((line, i) => line !== this.#shown[i]);
    const same = differs === -1 ? lines.length : differs;
    if (same === this.#shown.length && same === lines.length) return;
    const rows = this.#shown.slice(same).reduce((sum, line) => sum + this.#rowsOf(line), 0);
    // Rows above the screen stay as they are: their lines come once more.
    const up = Math.min(rows, this.#terminal.rows - 1);
    const back = up > 0 ? `\x1b[${up}A\r\x1b[J` : "";
    const rest = lines.slice(same).map((line) => `${line}\n`);
    this.#terminal.write(back + rest.join(""));
    this.#shown = [...lines];
  }

  /** A terminal breaks a long line into several rows. */
  #rowsOf(line: string): number {
    const columns = columnsOf(stripVTControlCharacters(line));
    return Math.max(1, Math.ceil(columns / this.#terminal.columns));
  }
}
