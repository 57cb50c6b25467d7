// What a terminal shows: enough of one for what our commands write.

import { columnsOf } from "../../scripts/ask/lines.ts";

const SEQUENCE = /\r|\n|\p{Cc}\[([\d;]*)([A-Za-z])|\P{Cc}/gu;

export class FakeTerminal {
  readonly columns: number;
  readonly rows: number;
  /** All rows, also those that have left the screen. */
  readonly #grid: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  /** Of all rows, what stands in them. */
  get lines(): string[] {
    return this.#grid.map((row) => row.join("").trimEnd());
  }

  write(text: string): void {
    const known = text.replace(SEQUENCE, "");
    if (known !== "") throw new Error(`Unknown to this terminal: ${JSON.stringify(known)}`);
    for (const [whole, count, name] of text.matchAll(SEQUENCE)) {
      if (name === "A") this.#row = Math.max(this.#top, this.#row - Number(count || 1));
      else if (name === "J") this.#clear();
      else if (name === "m") continue;
      else if (name !== undefined) throw new Error(`Unknown to this terminal: ${name}`);
      else if (whole === "\r") this.#column = 0;
      else if (whole === "\n") this.#feed();
      else this.#put(whole);
    }
  }

  /** The first row that is on the screen. */
  get #top(): number {
    return Math.max(0, this.#grid.length - this.rows);
  }

  #put(character: string): void {
    const width = columnsOf(character);
    if (width > 0 && this.#column + width > this.columns) this.#feed();
    const row = this.#grid[this.#row] as string[];
    if (width === 0) row[this.#column - 1] += character;
    else row[this.#column] = character;
    for (let n = 1; n < width; n++) row[this.#column + n] = "";
    this.#column += width;
  }

  #feed(): void {
    this.#row += 1;
    this.#column = 0;
    if (this.#row === this.#grid.length) this.#grid.push([]);
  }

  #clear(): void {
    (this.#grid[this.#row] as string[]).length = this.#column;
    this.#grid.length = this.#row + 1;
  }
}
