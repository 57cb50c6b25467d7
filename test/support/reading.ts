// A generation read piece by piece, at the test's own pace.

import type { OnText } from "../../src/answer/generator.ts";
import type { Finish } from "../../src/protocol.ts";

interface Generates<Asked> {
  generate(asked: Asked, onText: OnText, signal: AbortSignal): Promise<Finish>;
}

/** Starts at the first piece that is asked for. */
export async function* reading<Asked>(
  generator: Generates<Asked>,
  asked: Asked,
  signal = new AbortController().signal,
): AsyncGenerator<string, Finish, void> {
  const pieces: string[] = [];
  let wake = () => {};
  let isOver = false;
  const onText = (piece: string) => {
    pieces.push(piece);
    wake();
  };
  const finish = generator.generate(asked, onText, signal).finally(() => {
    isOver = true;
    wake();
  });
  // Thrown below, after the pieces before it.
  finish.catch(() => {});
  for (;;) {
    const piece = pieces.shift();
    if (piece !== undefined) yield piece;
    else if (isOver) return await finish;
    else {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      await promise;
    }
  }
}
