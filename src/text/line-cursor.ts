// A place in a line of Markdown. Blanks are counted in columns, and a
// tab fills up to 4 of them. Pure.

export class LineCursor {
  readonly text: string;
  #pos = 0;
  #column = 0;
  /** Columns of the tab before this place that are still ahead. */
  #spare = 0;
  /** The offset of the first character that is not blank. */
  #next = -1;
  #nextColumn = 0;

  constructor(text: string) {
    this.text = text;
    this.#look();
  }

  /** The offset of the next character that is not blank. */
  get next(): number {
    return this.#next;
  }

  /** The blank columns before it. */
  get indent(): number {
    return this.#nextColumn - this.#column;
  }

  get isBlank(): boolean {
    return this.#next === this.text.length;
  }

  /** Moves to an offset, at or after `next`. */
  to(offset: number): void {
    this.#column = this.#nextColumn + offset - this.#next;
    this.#pos = offset;
    this.#spare = 0;
    this.#look();
  }

  /** Moves over blank columns, at most as many as there are. */
  skip(columns: number): void {
    for (let left = Math.min(columns, this.indent); left > 0; ) {
      if (this.#spare === 0) {
        this.#spare = this.text[this.#pos] === "\t" ? 4 - (this.#column % 4) : 1;
        this.#pos += 1;
      }
      const step = Math.min(left, this.#spare);
      this.#spare -= step;
      this.#column += step;
      left -= step;
    }
  }

  /** The rest of the line. The rest of a tab becomes blanks. */
  rest(): string {
    return " ".repeat(this.#spare) + this.text.slice(this.#pos);
  }

  #look(): void {
    let next = this.#pos;
    let column = this.#column;
    for (; ; next += 1) {
      const char = this.text[next];
      if (char === "\t") column += 4 - (column % 4);
      else if (char === " ") column += 1;
      else break;
    }
    this.#next = next;
    this.#nextColumn = column;
  }
}
