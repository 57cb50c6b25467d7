// What an answer was made of, for tests of the pipeline alone.

import type { Progress as Taker } from "../../src/answer/pipeline.ts";
import type { Source } from "../../src/protocol.ts";

export class Progress implements Taker {
  sources: readonly Source[] = [];
  readonly tokens: string[] = [];
  foundNothing = false;

  onSources(sources: readonly Source[]): void {
    this.sources = sources;
  }

  onToken(token: string): void {
    this.tokens.push(token);
  }

  onNothingFound(): void {
    this.foundNothing = true;
  }

  onSignOfLife(): void {}

  onRewrite(): void {}

  onUsage(): void {}
}
