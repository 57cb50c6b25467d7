// What was read from texts lately, so that a text that comes again is not
// analysed again. In memory only.

/**
 * A pure function of a text, with its results for the latest texts. They are
 * shared by all callers, so they must not be changed.
 * @param lengthMax Of all texts that are kept, in UTF-16 units.
 */
export function remembered<T>(read: (text: string) => T, lengthMax: number): (text: string) => T {
  /** The least recent first. */
  const results = new Map<string, T>();
  let length = 0;
  return (text) => {
    const known = results.has(text);
    const result = known ? (results.get(text) as T) : read(text);
    if (known) results.delete(text);
    else length += text.length;
    results.set(text, result);
    for (const oldest of results.keys()) {
      if (length <= lengthMax) break;
      results.delete(oldest);
      length -= oldest.length;
    }
    return result;
  };
}
