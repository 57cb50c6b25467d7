// A place in a line of Markdown. Blanks are counted in columns, and a
// tab fills up to 4 of them. Pure.

export class LineCursor {
  #rest: string;
  #column = 0;

  constructor(text: string) {
    this.#rest = text;
  }

  /** The rest of the line. The rest of a tab becomes blanks. */
  get rest(): string {
    return this.#rest;
  }

  /** The rest without the blanks before it. */
  get content(): string {
    return this.#rest.replace(/^[ \t]+/, "");
  }

  get isBlank(): boolean {
    return this.content === "";
  }

  /** The blank columns before the content. */
  get indent(): number {
    let column = this.#column;
    for (const char of this.#rest) {
      if (char === "\t") column += 4 - (column % 4);
      else if (char === " ") column += 1;
      else break;
    }
    return column - this.#column;
  }

  /** Moves over the blanks, and over characters of the content. */
  take(length: number): void {
    this.#column += this.indent + length;
    this.#rest = this.content.slice(length);
  }

  /** Moves over blank columns, at most as many as there are. */
  skip(columns: number): void {
    for (let i = 0; i < columns && /^[ \t]/.test(this.#rest); i += 1) {
      const width = this.#rest.startsWith("\t") ? 4 - (this.#column % 4) : 1;
      this.#rest = " ".repeat(width - 1) + this.#rest.slice(1);
      this.#column += 1;
    }
  }
}
