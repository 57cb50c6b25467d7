// Where inline code ends: at a run of backticks as long as the first. Pure.

interface Runs {
  readonly starts: number[];
  next: number;
}

export class CodeSpans {
  readonly #runs = new Map<number, Runs>();

  constructor(text: string) {
    for (const { index, 0: run } of text.matchAll(/`+/g)) {
      const runs = this.#runs.get(run.length);
      if (runs === undefined) this.#runs.set(run.length, { starts: [index], next: 0 });
      else runs.starts.push(index);
    }
  }

  /**
   * The offset of the next run of `length` backticks at or after
   * `from`. `from` must not decrease from call to call: this keeps all
   * calls linear.
   */
  closing(length: number, from: number): number | undefined {
    const runs = this.#runs.get(length);
    if (runs === undefined) return undefined;
    while ((runs.starts[runs.next] ?? from) < from) runs.next += 1;
    return runs.starts[runs.next];
  }
}
