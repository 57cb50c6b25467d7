// The corpus that is evaluated: the real corpus object, in a workerd of its own
// whose data is deleted at the end. The Worker around it is worker.ts.

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure, PROJECT } from "../scripts/command.ts";
import { ProcessGroup } from "../scripts/process-group.ts";
import { bundle, workerd } from "../scripts/workerd.ts";
import type { Document } from "./collection.ts";

const ENTRY = join(PROJECT, "eval/worker.ts");

const TITLE_LENGTH_MAX = 300;
// A title is required: no question finds a document by this one.
const NO_TITLE = "-";

// The defaults: wrangler.toml has values for a laptop.
const VARIABLES = { GENERATOR: "extractive", RETRIEVER: "full-text" };

export interface Found {
  /** One for each passage, best first, with repeats. */
  readonly documentIds: readonly string[];
  readonly rowsRead: number;
}

export interface Answer {
  readonly text: string;
  /** One for each passage that it may cite, by number. */
  readonly documentIds: readonly string[];
}

export class Corpus {
  readonly #url: string;
  readonly #group: ProcessGroup;

  private constructor(url: string, group: ProcessGroup) {
    this.#url = url;
    this.#group = group;
  }

  static async start(): Promise<Corpus> {
    const folder = await mkdtemp(join(tmpdir(), "belay-"));
    const persistTo = join(folder, "data");
    let group: ProcessGroup | undefined;
    try {
      await mkdir(persistTo);
      await bundle(folder, undefined, ENTRY);
      const program = await workerd(folder, { port: 0, persistTo, variables: VARIABLES });
      group = new ProcessGroup(program, folder);
      group.leader.stderr?.pipe(process.stderr);
      const port = await Promise.race([group.port(), group.death()]);
      return new Corpus(`http://127.0.0.1:${port}`, group);
    } catch (error) {
      await group?.stop(0);
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Returns the number of passages. */
  async put({ id, title, text }: Document): Promise<number> {
    const response = await this.#send("PUT", this.#path(id), {
      title: title.toWellFormed().trim().slice(0, TITLE_LENGTH_MAX).toWellFormed() || NO_TITLE,
      text: text.toWellFormed(),
    });
    return ((await response.json()) as { passages: number }).passages;
  }

  async delete(id: string): Promise<void> {
    await (await this.#send("DELETE", this.#path(id))).body?.cancel();
  }

  async search(query: string, topK: number): Promise<Found> {
    const response = await this.#send("POST", "/search", { query, topK });
    return (await response.json()) as Found;
  }

  async answer(query: string, topK: number): Promise<Answer> {
    const response = await this.#send("POST", "/answer", { query, topK });
    return (await response.json()) as Answer;
  }

  async stop(): Promise<void> {
    await this.#group.stop(1_000);
  }

  #path(id: string): string {
    return `/api/v1/admin/documents/${encodeURIComponent(id)}`;
  }

  async #send(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(this.#url + path, {
      method,
      headers: { "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (response.ok) return response;
    const refusal = await response.text();
    throw new Failure(`The corpus refuses ${method} ${path}: ${response.status} ${refusal}`);
  }
}
