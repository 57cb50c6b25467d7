// Searches of a large corpus: the CPU of each, in the corpus object. No
// query comes twice, so no cache can help.

import pMap from "p-map";
import { filler } from "../../eval/filler.ts";
import { readOwnCollection } from "../../eval/own.ts";
import { Documents } from "../../scripts/documents.ts";
import { Progress } from "../../scripts/progress.ts";
import { TOP_K } from "../../src/protocol.ts";
import type { Bench } from "../load.ts";
import { Measured } from "../measured.ts";
import { queriesFrom } from "../queries.ts";
import { median, type Result } from "../result.ts";

const SIZES = [
  { passages: 5_000, limitMs: 1 },
  { passages: 50_000, limitMs: 8 },
] as const;
const QUERIES_BEFORE = 1_000;
const QUERIES_A_ROUND = 200;
const PUTS = { concurrency: 4 };

export async function search({ field, model, rounds }: Bench): Promise<Result> {
  const measured = await Measured.start(field, model.url);
  try {
    const { documents: own } = await readOwnCollection();
    const corpus = new Filling(measured, filler(own.values()));
    await corpus.begin(own.values());
    const queries = queriesFrom(own.values());
    const rows: { name: string; ms: number }[] = [];
    for (const { passages } of SIZES) {
      await corpus.fillTo(passages);
      // The first searches read pages and terms into memory, and compile code.
      await measured.searches(take(queries, QUERIES_BEFORE), TOP_K.byDefault);
      const times: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const asked = take(queries, QUERIES_A_ROUND);
        const before = measured.belay.server.cpuMs;
        await measured.searches(asked, TOP_K.byDefault);
        times.push((measured.belay.server.cpuMs - before) / asked.length);
      }
      rows.push({ name: `belay, ${passages} passages`, ms: median(times) });
    }
    return {
      load: "search",
      title: `${QUERIES_A_ROUND} different searches for ${TOP_K.byDefault} passages`,
      columns: ["CPU ms a search"],
      rows: rows.map(({ name, ms }) => ({ name, values: [ms] })),
      goals: SIZES.map(({ passages, limitMs }, i) => ({
        what: `CPU of a search of ${passages.toLocaleString("en")} passages`,
        value: rows[i]?.ms ?? Number.NaN,
        limit: limitMs,
        unit: "ms",
        isRatio: false,
      })),
      remarks: [],
    };
  } finally {
    await measured.stop();
  }
}

interface Text {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** A corpus that grows. */
class Filling {
  readonly #measured: Measured;
  readonly #more: Iterator<Text, unknown>;
  #documents: Documents | undefined;
  #passages = 0;

  constructor(measured: Measured, more: Iterator<Text, unknown>) {
    this.#measured = measured;
    this.#more = more;
  }

  async begin(texts: Iterable<Text>): Promise<void> {
    const { belay } = this.#measured;
    this.#documents = new Documents(belay.server.url, await belay.token("operator", true));
    for (const text of texts) await this.#put(text);
  }

  async fillTo(count: number): Promise<void> {
    const progress = new Progress(`search: passages of ${count}`, count);
    progress.advance(this.#passages);
    await pMap(this.#missing(count), async (text) => progress.advance(await this.#put(text)), PUTS);
    progress.clear();
  }

  *#missing(count: number): Generator<Text> {
    while (this.#passages < count) {
      const next = this.#more.next();
      if (next.done) return;
      yield next.value;
    }
  }

  async #put({ id, title, text }: Text): Promise<number> {
    const added = (await this.#documents?.put(id, { title, text, url: null })) ?? 0;
    this.#passages += added;
    return added;
  }
}

function take(queries: Iterator<string, unknown>, count: number): string[] {
  return Array.from({ length: count }, () => String(queries.next().value));
}
