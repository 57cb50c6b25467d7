// The errors of the AI binding, by their codes. Pure.

/**
 * The code of an error that the binding threw; undefined if it has none. The
 * message is `3040: Capacity temporarily exceeded`, or that after a class
 * name.
 */
export function workersAiErrorCode(thrown: unknown): number | undefined {
  const message = thrown instanceof Error ? thrown.message : "";
  const code = /^(?:\w+: ){0,2}(\d{4,5})(?:: |$)/.exec(message)?.[1];
  return code === undefined ? undefined : Number(code);
}

/** The code for a message, after a space; empty if there is none. */
export function workersAiErrorNote(thrown: unknown): string {
  const code = workersAiErrorCode(thrown);
  return code === undefined ? "" : ` (Workers AI error ${code})`;
}
