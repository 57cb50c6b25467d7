// The id of a query: its number in base 36, with which its row is found, and 32
// random hexadecimal digits, which prove it.

/** Unique over all users, not guessable. */
export function newQueryId(number: number): string {
  return withNumber(number, crypto.randomUUID().replaceAll("-", ""));
}

/** The place of a number in the log. It is the id of no query. */
export function placeOf(number: number): string {
  return withNumber(number, "0".repeat(32));
}

function withNumber(number: number, rest: string): string {
  return `${number.toString(36)}-${rest}`;
}

/** NaN for a text that cannot be an id. */
export function numberOf(id: string): number {
  const [, number] = /^([\da-z]{1,10})-[\da-f]{32}$/.exec(id) ?? [];
  return number === undefined ? Number.NaN : Number.parseInt(number, 36);
}

/** 0 before the first query. */
export function numberIn(id: string | null): number {
  return id === null ? 0 : numberOf(id);
}
