// Where inline code ends: at a run of backticks as long as the first. Pure.

export class CodeSpans {
  /** The runs of each length, and the first of them to look at. */
  readonly #runs: Record<number, { readonly starts: number[]; next: number }> = {};

  constructor(text: string) {
    for (const { index, 0: run } of text.matchAll(/`+/g)) {
      this.#runs[run.length] ??= { starts: [], next: 0 };
      this.#runs[run.length]?.starts.push(index);
    }
  }

  /**
   * The offset of the next run of `length` backticks at or after
   * `from`. `from` must not decrease from call to call: this keeps all
   * calls linear.
   */
  closing(length: number, from: number): number | undefined {
    const runs = this.#runs[length];
    if (runs === undefined) return undefined;
    while ((runs.starts[runs.next] ?? from) < from) runs.next += 1;
    return runs.starts[runs.next];
  }
}
