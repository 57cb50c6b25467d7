// How a question tells the soak's model what to send, and when to fail.

export interface Script {
  readonly tokens: number;
  readonly gapMs: number;
  readonly fault?: Fault;
  /** The number of tokens before the fault. */
  readonly at?: number;
}

export const FAULTS = ["refused", "cut", "unfinished", "error", "garbage", "silent"] as const;

/**
 * A status of 500; a broken connection; an end without its mark; an error in a
 * frame; a frame that is no JSON; and nothing more, with the connection open.
 */
export type Fault = (typeof FAULTS)[number];

const WORDS = ["Your ", "quota ", "pays ", "only ", "for ", "answers ", "that ", "arrive. "];

/** @param tag Makes it a question of its own. */
export function question(script: Script, tag: string): string {
  return `What is the quota? [[soak ${JSON.stringify({ ...script, tag })}]]`;
}

/** The script in the body of a request to the model. */
export function scriptIn(question: string): Script | undefined {
  const [, json] = /\[\[soak (\{[^{}]*\})\]\]/.exec(question) ?? [];
  return json === undefined ? undefined : JSON.parse(json);
}

export function token(n: number): string {
  return WORDS[n % WORDS.length] as string;
}

/** The whole answer. */
export function answer({ tokens }: Script): string {
  return Array.from({ length: tokens }, (_, n) => token(n)).join("");
}
