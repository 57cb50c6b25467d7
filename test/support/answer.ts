// A whole answer of the pipeline, for tests that need none of its steps.

import { type Adapters, begin, type Progress } from "../../src/answer/pipeline.ts";
import type { Ask, Finish } from "../../src/protocol.ts";

export function answer(
  ask: Ask,
  adapters: Adapters,
  progress: Progress,
  signal: AbortSignal,
): Promise<Finish> {
  return begin(ask, adapters, signal)(progress);
}
