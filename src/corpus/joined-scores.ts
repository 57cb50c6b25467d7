// Scores of the passages of several collections, as one index of all would give
// them. What each collection counts with is its own: a word that is rare in one
// is common in another, so their scores cannot be compared. Pure.

import { queryWords, termsOfAll } from "../text/analyzer.ts";
import { bm25Idf } from "./matches.ts";
import { HITS_MAX } from "./passage-index.ts";
import { JoinedTerms, type QueryTerms } from "./query-terms.ts";
import { WantedTerms } from "./wanted-terms.ts";

interface Scorable {
  readonly title: string;
  readonly heading: readonly string[];
  readonly text: string;
}

interface Scores {
  /** How well it covers the query, in [0, 1]. */
  readonly score: number;
  readonly bm25: number;
}

/** Those of FTS5. */
const K1 = 1.2;
const B = 0.75;
const RARITY_LEAST = 1e-6;

export class JoinedScores {
  readonly #wanted: WantedTerms;
  readonly #rarities: readonly (readonly [term: string, rarity: number])[];
  /** The mean number of terms in a passage. */
  readonly #length: number;

  /** @param known Of each collection. */
  constructor(query: string, known: readonly QueryTerms[]) {
    const sum = (of: (one: QueryTerms) => number) => known.reduce((all, one) => all + of(one), 0);
    const indexed = sum(({ statistics }) => statistics.passages);
    const passages = sum((one) => one.passages);
    this.#length = sum(({ statistics }) => statistics.terms) / Math.max(1, indexed);
    this.#wanted = new WantedTerms(queryWords(query), new JoinedTerms(known), passages);
    this.#rarities = this.#wanted
      .affordable(HITS_MAX)
      .map(({ term, passages }) => [term, Math.max(RARITY_LEAST, bm25Idf(passages, indexed))]);
  }

  of({ title, heading, text }: Scorable): Scores {
    const [heads = [], body = []] = termsOfAll([[title, ...heading].join("\n"), text]);
    const times = new Map<string, number>();
    // Title and headings weigh double.
    for (const term of [...heads, ...heads, ...body]) times.set(term, (times.get(term) ?? 0) + 1);
    // The index has one more term of each passage, which its copies share.
    const length = 2 * heads.length + body.length + 1;
    const norm = K1 * (1 - B + (B * length) / this.#length);
    const bm25 = this.#rarities.reduce((sum, [term, rarity]) => {
      const said = times.get(term) ?? 0;
      return sum + (rarity * said * (K1 + 1)) / (said + norm);
    }, 0);
    return { bm25, score: this.#wanted.coverage([...heads, ...body]) };
  }
}
