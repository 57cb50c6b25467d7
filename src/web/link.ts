// Links to addresses from others. A page that fetched what a text names would
// tell its author who reads it, so nothing is fetched until a reader follows
// a link.

/** The address if it may be linked to: web, mail, or this site. */
export function safeAddress(address: string): string | undefined {
  // The browsers' own parser sees through white space and controls in a
  // scheme.
  const url = URL.parse(address, location.origin);
  if (url === null) return undefined;
  const { protocol } = url;
  if (protocol === "mailto:") return url.href;
  if (protocol !== "http:" && protocol !== "https:") return undefined;
  // With credentials an address looks like another site's.
  return url.username === "" && url.password === "" ? url.href : undefined;
}

/** Opens the link in a new tab that learns nothing of this one. */
export function setExternalHref(link: HTMLAnchorElement, safe: string): void {
  link.href = safe;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
}
