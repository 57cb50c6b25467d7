// What a tab keeps over a reload. The browser may block it, and any script of the
// origin can write there: what is read is text that need not be ours.

/** Empty if there is nothing. */
export function stored(key: string): string {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

/** Blocked or full: then it lasts as long as the page. */
export function store(key: string, text: string): void {
  try {
    sessionStorage.setItem(key, text);
  } catch {
    // See above.
  }
}

export function unstore(key: string): void {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // Blocked, so nothing was kept.
  }
}

export function clearTab(): void {
  try {
    sessionStorage.clear();
  } catch {
    // Blocked, so nothing was kept.
  }
}

/** The members of a JSON object; none if the text is something else. */
export function membersIn(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** Whether it can be the id of a query. */
export function isId(value: unknown): value is string {
  return typeof value === "string" && /^[\w-]+$/.test(value);
}

export function idsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(isId) : [];
}
