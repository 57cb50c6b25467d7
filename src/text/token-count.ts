// A lower bound of the tokens in a text that arrives in pieces. A tokenizer
// never joins two words into one token, but may split one into many. So words
// are counted, not pieces: at most one token a piece, none within a word. Pure.

const WORD_BEGINS = /(?<![\p{L}\p{N}\p{M}_])[\p{L}\p{N}_]/gu;
/** In scripts without spaces, a token is about four characters at most. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;
const UNSPACED_PER_TOKEN = 4;
/** In UTF-16 units. A word that begins later is not counted. */
const PIECE_LENGTH_MAX = 8 * 1024;

export class TokenCount {
  /** The last UTF-16 unit of the text; 0 before it. */
  #last = 0;

  /** Counts the next piece, which is not empty. */
  add(piece: string): number {
    const last = this.#last;
    this.#last = piece.charCodeAt(piece.length - 1);
    const count = last < 0x80 ? countAscii(last, piece) : undefined;
    return count ?? countAny(last, piece);
  }
}

/** As `countAny`, which is slower; undefined if a character is not ASCII. */
function countAscii(last: number, piece: string): number | undefined {
  const length = Math.min(piece.length, PIECE_LENGTH_MAX);
  let begins = false;
  let isInWord = isWordUnit(last);
  for (let at = 0; at < length; at += 1) {
    const unit = piece.charCodeAt(at);
    if (unit >= 0x80) return undefined;
    const isWord = isWordUnit(unit);
    begins ||= isWord && !isInWord;
    isInWord = isWord;
  }
  return begins ? 1 : 0;
}

function isWordUnit(unit: number): boolean {
  return (
    (unit >= 0x61 && unit <= 0x7a) ||
    (unit >= 0x41 && unit <= 0x5a) ||
    (unit >= 0x30 && unit <= 0x39) ||
    unit === 0x5f
  );
}

function countAny(last: number, piece: string): number {
  const before = last === 0 ? "" : String.fromCharCode(last);
  const unspaced = piece.slice(0, UNSPACED_PER_TOKEN).match(UNSPACED)?.length ?? 0;
  if (unspaced > 0) return Math.min(1, unspaced / UNSPACED_PER_TOKEN);
  WORD_BEGINS.lastIndex = before.length;
  return WORD_BEGINS.test(before + piece.slice(0, PIECE_LENGTH_MAX)) ? 1 : 0;
}

/** A lower bound for a text in pieces. */
export function countTokens(pieces: readonly string[]): number {
  const count = new TokenCount();
  return Math.ceil(pieces.reduce((sum, piece) => sum + count.add(piece), 0));
}
