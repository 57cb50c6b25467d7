// Links to where others say. Only addresses that show something when they are followed, and only when
// they are followed: a page that fetches what a text names would tell its author who reads it.

/** The address if it may be linked to: of the web, of mail, or within this site. */
export function safeAddress(address: string): string | undefined {
  // The parser that browsers use, which sees through white space and controls inside a scheme.
  const url = URL.parse(address, location.origin);
  if (url === null) return undefined;
  const { protocol } = url;
  if (protocol === "mailto:") return url.href;
  if (protocol !== "http:" && protocol !== "https:") return undefined;
  // With credentials, an address looks like that of another site.
  return url.username === "" && url.password === "" ? url.href : undefined;
}

/** Makes a link lead there, in a new tab that learns nothing of this one. */
export function pointTo(link: HTMLAnchorElement, safe: string): void {
  link.href = safe;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
}
