// Times in their shortest form, in the language of the page and in the reader's own
// form: their region's order, and their 12 or 24 hours.

const DAY_MS = 24 * 60 * 60 * 1_000;

/** The reader's locale of this language, else the language itself. */
export function localeOf(lang: string): string {
  const { navigator } = globalThis as { navigator?: { languages?: readonly string[] } };
  return (navigator?.languages ?? []).find((other) => isSame(other, lang)) ?? lang;
}

/**
 * In the reader's time zone: the time of day if within a day of `now`, else the
 * date. Arguments in ms.
 */
export function clock(at: number, now: number, lang: string): string {
  return Math.abs(at - now) <= DAY_MS ? timeOfDay(at, lang) : dateOf(at, lang);
}

export function timeOfDay(at: number, lang: string): string {
  const { hourCycle } = new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions();
  const form = { timeStyle: "short", hourCycle } as const;
  return new Intl.DateTimeFormat(localeOf(lang), form).format(at);
}

function dateOf(at: number, lang: string): string {
  return new Intl.DateTimeFormat(localeOf(lang), { day: "numeric", month: "short" }).format(at);
}

/** "in 3 hours", in this language. Arguments in ms. */
export function waitUntil(at: number, now: number, lang: string): string {
  const form = new Intl.RelativeTimeFormat(lang);
  const minutes = Math.max(1, Math.ceil((at - now) / 60_000));
  if (minutes < 90) return form.format(minutes, "minute");
  const hours = Math.round(minutes / 60);
  return hours < 48 ? form.format(hours, "hour") : form.format(Math.round(hours / 24), "day");
}

/** Whether two tags name one language. Chinese also has two scripts. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map(whole);
  return a !== undefined && a.language === b?.language && a.script === b.script;
}

/** Undefined for what is no tag. Chromium has such as "en-US@posix". */
function whole(tag: string): Intl.Locale | undefined {
  try {
    return new Intl.Locale(tag).maximize();
  } catch {
    return undefined;
  }
}
