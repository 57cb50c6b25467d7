// What a page asks of robots: in its X-Robots-Tag headers, or in its elements
// `<meta name="robots">`. Pure.

export interface Directives {
  /** It asks not to be found. */
  readonly isHidden: boolean;
  /** Its links are not to be followed. */
  readonly hidesLinks: boolean;
}

/** Directives with a value, which looks like the name of a robot. */
const VALUED = /^(?:unavailable_after|max-snippet|max-image-preview|max-video-preview)$/;
const NAMED = /^([\w.*-]+)\s*:\s*(.*)$/s;

/**
 * @param values One for each header or element.
 * @param agent In lower case. What is for another robot is passed over.
 */
export function directivesOf(values: readonly string[], agent: string): Directives {
  const found = new Set<string>();
  for (const value of values) {
    let isForUs = true;
    for (const part of value.toLowerCase().split(",")) {
      let directive = part.trim();
      const [, name = "", rest = ""] = NAMED.exec(directive) ?? [];
      if (VALUED.test(name)) continue;
      if (name !== "") [isForUs, directive] = [name === agent || name === "*", rest];
      if (isForUs) found.add(directive);
    }
  }
  const isHidden = found.has("noindex") || found.has("none");
  return { isHidden, hidesLinks: found.has("nofollow") || found.has("none") };
}
