// How a question tells the scripted model what to send. The text is in
// the last message, so every contender passes it on unchanged.

export interface Script {
  readonly tokens: number;
  /** Milliseconds between two tokens. Without it: as fast as they are read. */
  readonly gapMs?: number;
  /** The name under which the model says when it was stopped. */
  readonly id?: string;
}

export function written({ tokens, gapMs = 0, id = "none" }: Script): string {
  return `lab tokens=${tokens} gap=${gapMs} id=${id} end`;
}

/** Undefined if the body holds no script. */
export function read(body: string): Required<Script> | undefined {
  const [, tokens, gap, id] = /lab tokens=(\d+) gap=(\d+) id=(\S+) end/.exec(body) ?? [];
  if (tokens === undefined || id === undefined) return undefined;
  return { tokens: Number(tokens), gapMs: Number(gap), id };
}
