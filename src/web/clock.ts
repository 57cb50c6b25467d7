// A time in its shortest form.

const DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * In the reader's time zone: the time of day if within a day of `now`, else the
 * date. Arguments in ms.
 */
export function clock(at: number, now: number): string {
  const near = Math.abs(at - now) <= DAY_MS;
  const form: Intl.DateTimeFormatOptions = near
    ? { timeStyle: "short" }
    : { day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(undefined, form).format(at);
}
