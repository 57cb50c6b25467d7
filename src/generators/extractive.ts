// A generator without a model. It quotes the best sentences with
// citations, or says that it found nothing. quotes.ts picks the
// sentences.

import type { Generation, Generator, OnText } from "../answer/generator.ts";
import { NOTHING_FOUND, nothingFound } from "../answer/nothing-found.ts";
import type { Finish } from "../protocol.ts";
import { UNSPACED } from "../text/analyzer.ts";
import { withoutMarks } from "../text/citation-marks.ts";
import { coverageMin } from "./coverage-min.ts";
import { type Quote, quotes } from "./quotes.ts";

/** A follow-up is searched with words of the turn before, which need not be found. */
const FOLLOW_UP_SHARE = 0.75;

// Tokens like a model's: a word with the space after it, or two
// characters in scripts without spaces. A citation is one token.
const TOKENS = new RegExp(`[${UNSPACED}]{1,2}[\\p{P}--\\[]*\\s*|[^\\s${UNSPACED}]+\\s*|\\s+`, "gv");
const ENDS_UNSPACED = new RegExp(`[${UNSPACED}\\u3000-\\u303f\\uff00-\\uffef]$`, "v");

export class ExtractiveGenerator implements Generator {
  readonly #tokensPerSecond: number;

  /** `tokensPerSecond`: the pace of a model to imitate; 0 for none. */
  constructor({ tokensPerSecond }: { readonly tokensPerSecond: number }) {
    this.#tokensPerSecond = tokensPerSecond;
  }

  async generate(
    { query, search, passages, maxTokens }: Generation,
    onText: OnText,
    signal: AbortSignal,
  ): Promise<Finish> {
    const coverage = Math.max(0, ...passages.map((passage) => passage.score));
    const share = search.text === query ? 1 : FOLLOW_UP_SHARE;
    const isCovered = coverage >= share * coverageMin(search.text);
    const found = isCovered ? quotes(search.asked, passages) : [];
    const answer = found.map((quote) => cite(quote, passages.length)).join("\n\n");
    if (answer === "") onText(NOTHING_FOUND);
    const tokens = (answer || nothingFound(query)).match(TOKENS) ?? [];

    const startedAt = Date.now();
    for (const [i, token] of tokens.slice(0, maxTokens).entries()) {
      if (this.#tokensPerSecond > 0) {
        await until(startedAt + (i * 1_000) / this.#tokensPerSecond, signal);
      }
      signal.throwIfAborted();
      onText(token);
    }
    return tokens.length > maxTokens ? "length" : "stop";
  }
}

/**
 * The quote with its number. Marks inside it that look like citations
 * get parentheses.
 */
function cite({ n, text }: Quote, count: number): string {
  const isMeant = (number: number) => number <= count;
  let quoted = "";
  let end = 0;
  for (const { 0: code, index } of text.matchAll(CODE)) {
    quoted += withoutMarks(text.slice(end, index), isMeant) + code;
    end = index + code.length;
  }
  quoted += withoutMarks(text.slice(end), isMeant);
  // At the answer's beginning it would be taken off as a mark.
  if (quoted.startsWith(NOTHING_FOUND)) quoted = `(0)${quoted.slice(NOTHING_FOUND.length)}`;
  if (ENDS_BLOCK.test(quoted)) return `${quoted}\n\n[${n}]`;
  return `${quoted}${ENDS_UNSPACED.test(quoted) ? "" : " "}[${n}]`;
}

/** Blocks of code, which have no citations. */
const CODE = /^ *(`{3,})[^\n]*\n[\s\S]*?\n *\1$/gm;
/** A table or code, which a citation would become part of. */
const ENDS_BLOCK = /(?:\n\|[^\n]*\||\n *`{3,})$/;

/** Resolves at the time; rejects as soon as the signal aborts. */
function until(time: number, signal: AbortSignal): Promise<void> {
  const waitMs = time - Date.now();
  if (waitMs <= 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, waitMs);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
