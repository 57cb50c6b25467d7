// Links to addresses from untrusted text. The page never fetches such an address
// by itself: that would tell its author who reads the text.

/**
 * The address if it is whole, and http, https or mailto; else undefined.
 */
export function safeAddress(address: string): string | undefined {
  // The browser's own parser drops spaces and controls inside a scheme.
  const url = URL.parse(address);
  if (url === null || !/^(?:https?|mailto):$/.test(url.protocol)) return undefined;
  // Credentials make an address look like another site's.
  return url.username === "" && url.password === "" ? url.href : undefined;
}

/** Opens in a new tab, without opener or referrer. */
export function setExternalHref(link: HTMLAnchorElement, safe: string): void {
  link.href = safe;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
}
