// The web addresses in running text, without what follows them there. Pure.

/** Not the address of a link that never ended. */
const ADDRESS = /(?<![A-Za-z\d_]|\]\(|\]\(<)https?:\/\/[^\s<>]+/g;
/** An address ends before these, and before white space. */
export const AFTER_ADDRESS =
  /[\u3000-\u3003\u3008-\u301F\uFF01-\uFF0F\uFF1A-\uFF1F\uFF3B-\uFF3D\uFF5B-\uFF65“”‘’…"`]/;
/** The end of a sentence, or of what was opened before the address. */
const SENTENCE_END = ".,;:!?'*_~";

export function bareAddresses(
  text: string,
): { readonly start: number; readonly address: string }[] {
  return Array.from(text.matchAll(ADDRESS), ({ 0: found, index }) => ({
    start: index,
    address: trimmed(found),
  }));
}

function trimmed(found: string): string {
  const over = found.search(AFTER_ADDRESS);
  let length = over === -1 ? found.length : over;
  const count = (char: string) => found.slice(0, length).split(char).length;
  let surplus = count(")") - count("(");
  for (; length > 0; length -= 1) {
    const char = found.charAt(length - 1);
    if (char === ")" && surplus > 0) surplus -= 1;
    else if (!SENTENCE_END.includes(char)) break;
  }
  return found.slice(0, length);
}
