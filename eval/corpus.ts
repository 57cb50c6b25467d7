// The corpus that is evaluated: the real Worker with its
// objects, in a workerd of its own whose data is deleted at the
// end. worker.ts adds a route to it.

import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bearerToken } from "../scripts/bearer-token.ts";
import { PROJECT } from "../scripts/command.ts";
import { ProcessGroup } from "../scripts/process-group.ts";
import { bundle, workerd } from "../scripts/workerd.ts";
import { copyOf } from "../src/corpus/copied-corpus.ts";
import { type AnswerBody, API_PREFIX, DEFAULT_COLLECTION } from "../src/protocol.ts";
import { citedNumbers } from "../src/text/citation-marks.ts";
import type { Document, Question } from "./collection.ts";
import { Connection } from "./connection.ts";
import type { Answer } from "./verdicts.ts";

const ENTRY = join(PROJECT, "eval/worker.ts");

const TITLE_LENGTH_MAX = 300;
// A title is required: no question finds a document by this one.
const NO_TITLE = "-";

// Beside the defaults. The values of local servers are not used.
// One user asks everything, at once, and waits for no check of
// the connection.
const VARIABLES = {
  GENERATOR: "extractive",
  RETRIEVER: "full-text",
  QUOTA_LIMIT: "1000000000",
  CONCURRENCY_LIMIT: "100",
  REPEAT_WINDOW_SECONDS: "0",
  DELIVERY_HOLD_MS: "20",
};
const USER = { user: "eval", operator: true, seconds: 7 * 86_400 };

export interface Found {
  /** One for each passage, best first, with repeats. */
  readonly documentIds: readonly string[];
  readonly rowsRead: number;
}

export class Corpus {
  readonly #connection: Connection;
  readonly #group: ProcessGroup;
  /** Over which the documents are spread. */
  readonly #collections: readonly string[];

  private constructor(connection: Connection, group: ProcessGroup, collections: readonly string[]) {
    this.#connection = connection;
    this.#group = group;
    this.#collections = collections;
  }

  /** @param count Of collections; without it, all documents are in `default`. */
  static async start(count?: number): Promise<Corpus> {
    const collections =
      count === undefined
        ? [DEFAULT_COLLECTION]
        : Array.from({ length: count }, (_, i) => `part-${i + 1}`);
    const folder = await mkdtemp(join(tmpdir(), "belay-"));
    const persistTo = join(folder, "data");
    const variables = { ...VARIABLES, AUTH_SECRET: randomBytes(32).toString("base64url") };
    let group: ProcessGroup | undefined;
    try {
      await mkdir(persistTo);
      await bundle(folder, undefined, ENTRY);
      const program = await workerd(folder, { port: 0, persistTo, variables });
      group = new ProcessGroup(program, folder);
      group.leader.stderr?.pipe(process.stderr);
      // A line for each query. Unread, they fill the pipe, and workerd waits.
      group.leader.stdout?.resume();
      const port = await Promise.race([group.port(), group.death()]);
      const token = await bearerToken(variables, { ...USER, collections });
      const connection = new Connection(`http://127.0.0.1:${port}`, token);
      return new Corpus(connection, group, collections);
    } catch (error) {
      await group?.stop(0);
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Returns the number of passages. */
  async put({ id, title, text }: Document): Promise<number> {
    const { passages } = await this.#connection.json<{ passages: number }>(
      "PUT",
      this.#pathOf(id),
      {
        title: title.toWellFormed().trim().slice(0, TITLE_LENGTH_MAX).toWellFormed() || NO_TITLE,
        text: text.toWellFormed(),
      },
    );
    return passages;
  }

  async delete(id: string): Promise<void> {
    await this.#connection.json("DELETE", this.#pathOf(id));
  }

  async search(query: string, topK: number): Promise<Found> {
    const collections = this.#collections;
    return this.#connection.json("POST", "/search", { query, topK, collections });
  }

  async answer({ text: query, history }: Question, topK: number): Promise<Answer> {
    const { answer, sources, found } = await this.#connection.json<
      AnswerBody & { found?: boolean }
    >("POST", `${API_PREFIX}/ai/ask`, { query, topK, history });
    const documents = new Map(sources.map(({ n, documentId }) => [n, documentId]));
    const [first] = citedNumbers(answer, (n) => documents.has(n));
    return {
      text: answer,
      // A server that does not say it quotes no passage then.
      isRefusal: found === undefined ? first === undefined : !found,
      documentIds: sources.map(({ documentId }) => documentId),
      firstCited: first === undefined ? undefined : documents.get(first),
    };
  }

  async stop(): Promise<void> {
    await this.#group.stop(1_000);
  }

  /** A document is in the same collection each time. */
  #pathOf(id: string): string {
    const collection = this.#collections[copyOf(id, this.#collections.length) - 1];
    return `${API_PREFIX}/admin/collections/${collection}/documents/${encodeURIComponent(id)}`;
  }
}
