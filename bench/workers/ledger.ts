// do-ledger: the least that keeps what Belay promises of an ask. Passages come
// from another object, and the prompt and the sources quote them. One
// transaction reserves before the model is asked, and one charges after the
// last write, which two writes before it have tested. An alarm looks for what
// an instance left reserved, and tells the directory.
//
// It leaves out who asks, what is allowed, the search itself, every error, and
// all that makes an answer better. So it shows what an ask costs before any of
// that.

import { DurableObject } from "cloudflare:workers";

interface Env {
  readonly MODEL: string;
  readonly OBJECTS: DurableObjectNamespace<Ledger>;
}

interface Passage {
  readonly id: string;
  readonly title: string;
  readonly heading: readonly string[];
  readonly url: string | null;
  readonly text: string;
  readonly score: number;
}

interface Report {
  readonly user: string;
  readonly number: number;
  readonly query: string;
}

const HEADERS = { "content-type": "text/event-stream", "cache-control": "no-cache" };
/** The model gets as many bytes as from Belay with its samples: 2,800. */
const PASSAGES = 5;
const PASSAGE_LENGTH = 300;
const SNIPPET_LENGTH = 280;
const SWEEP_MS = 30_000;
const PROBE_MS = 50;
const FIRST_TOKEN_TIMEOUT_MS = 20_000;
const RULES = "You answer questions about an operator's documents. ".repeat(18);
const END_OF_FRAME = "\n\n";
const SENTENCE = "The ledger reserves before the model is asked, and charges at the end. ";

const TABLES = `
  CREATE TABLE windows (window TEXT PRIMARY KEY, reserved INTEGER, charged INTEGER) STRICT;
  CREATE TABLE keys (key TEXT PRIMARY KEY, number INTEGER) STRICT, WITHOUT ROWID;
  CREATE TABLE reports (one INTEGER PRIMARY KEY, number INTEGER) STRICT;
  CREATE TABLE queries (
    number INTEGER PRIMARY KEY, state TEXT NOT NULL, asked_at INTEGER NOT NULL, query TEXT,
    answer TEXT, sources TEXT
  ) STRICT;
`;

export class Ledger extends DurableObject<Env> {
  #hasTables = this.ctx.storage.sql
    .exec("SELECT 1 FROM sqlite_master WHERE name = 'queries'")
    .toArray()
    .some(() => true);
  #hasAlarm = false;

  override async fetch(request: Request): Promise<Response> {
    const { question } = await request.json<{ question: string }>();
    const passages = this.env.OBJECTS.getByName("corpus").passages(question);
    const number = this.#reserve(question);
    if (!this.#hasAlarm) {
      this.#hasAlarm = true;
      this.ctx.storage.setAlarm(Date.now() + SWEEP_MS);
    }
    const { readable, writable } = new IdentityTransformStream();
    this.ctx.waitUntil(this.#answer(question, number, passages, writable.getWriter()));
    return new Response(readable, { headers: HEADERS });
  }

  override async alarm(): Promise<void> {
    this.#hasAlarm = false;
    const { sql } = this.ctx.storage;
    const last = sql
      .exec<{ number: number; query: string }>(
        "SELECT number, query FROM queries ORDER BY number DESC LIMIT 1",
      )
      .one();
    const user = this.ctx.id.toString();
    await this.env.OBJECTS.getByName("directory").report({ user, ...last });
    sql.exec("INSERT OR REPLACE INTO reports VALUES (1, ?)", last.number);
  }

  /** As the object of the documents. */
  passages(question: string): Passage[] {
    const text = SENTENCE.repeat(PASSAGE_LENGTH / SENTENCE.length);
    return Array.from({ length: PASSAGES }, (_, i) => ({
      id: `document#${i}`,
      title: "Quota",
      heading: ["Quota", "How it is counted"],
      url: "https://example.com/quota",
      text: `${question} ${text}`,
      score: 1 / (i + 1),
    }));
  }

  /** As the directory. */
  report({ user, number, query }: Report): void {
    const { sql } = this.ctx.storage;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS users (user TEXT PRIMARY KEY, number INTEGER, query TEXT)",
    );
    sql.exec("INSERT OR REPLACE INTO users VALUES (?, ?, ?)", user, number, query);
  }

  #reserve(question: string): number {
    const { storage } = this.ctx;
    return storage.transactionSync(() => {
      if (!this.#hasTables) storage.sql.exec(TABLES);
      this.#hasTables = true;
      const [{ number = 0 } = {}] = storage.sql
        .exec<{ number: number }>(
          "INSERT INTO queries (state, asked_at, query) VALUES ('reserved', ?, ?) RETURNING number",
          ...[Date.now(), question],
        )
        .toArray();
      storage.sql.exec(
        `INSERT INTO windows VALUES ('now', 1, 0)
         ON CONFLICT DO UPDATE SET reserved = reserved + 1`,
      );
      storage.sql.exec("INSERT OR REPLACE INTO keys VALUES (?, ?)", question, number);
      return number;
    });
  }

  #charge(number: number, answer: string, sources: string): void {
    const { storage } = this.ctx;
    storage.transactionSync(() => {
      storage.sql.exec(
        "UPDATE queries SET state = 'charged', answer = ?, sources = ? WHERE number = ?",
        ...[answer, sources, number],
      );
      storage.sql.exec("UPDATE windows SET reserved = reserved - 1, charged = charged + 1");
    });
    const line = JSON.stringify({ event: "query", number, user: this.ctx.id.toString() });
    this.ctx.waitUntil(storage.sync().then(() => console.log(line)));
  }

  async #answer(
    question: string,
    number: number,
    searched: Promise<Passage[]>,
    writer: WritableStreamDefaultWriter<Uint8Array>,
  ): Promise<void> {
    const encoder = new TextEncoder();
    const write = (event: object) => writer.write(encoder.encode(eventOf(event)));
    await write({ type: "start", queryId: number });
    const passages = await searched;
    const sources = passages.map(({ text, ...passage }) => ({
      ...passage,
      snippet: text.slice(0, SNIPPET_LENGTH),
    }));
    await write({ type: "sources", sources });
    const abort = new AbortController();
    const late = setTimeout(() => abort.abort(), FIRST_TOKEN_TIMEOUT_MS);
    const response = await this.#ask(question, passages, abort.signal);
    let answer = "";
    for (const reader = new Reader(response); !reader.hasEnded; ) {
      const tokens = await reader.read();
      answer += tokens.join("");
      const events = tokens.map((token) => eventOf({ type: "token", token }));
      if (events.length > 0) await writer.write(encoder.encode(events.join("")));
    }
    clearTimeout(late);
    for (let beats = 0; beats < 2; beats += 1) {
      await write({ type: "ping" });
      await scheduler.wait(PROBE_MS);
    }
    await write({ type: "done", queryId: number, sources });
    this.#charge(number, answer, JSON.stringify(sources));
    await writer.close();
  }

  #ask(question: string, passages: readonly Passage[], signal: AbortSignal): Promise<Response> {
    const found = passages.map(({ text }) => text).join("\n\n");
    return fetch(this.env.MODEL, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "lab",
        stream: true,
        messages: [
          { role: "system", content: RULES },
          { role: "user", content: `${found}\n\nQuestion: ${question}` },
        ],
      }),
      signal,
    });
  }
}

function eventOf(event: object): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}

/** Reads the tokens of a model, as many as came at once: without generators and streams of text. */
class Reader {
  hasEnded = false;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor({ body }: Response) {
    this.#reader = body?.getReader();
  }

  async read(): Promise<string[]> {
    const { value } = (await this.#reader?.read()) ?? {};
    if (value === undefined) this.hasEnded = true;
    else this.#text += this.#decoder.decode(value, { stream: true });
    const tokens: string[] = [];
    let from = 0;
    for (let end = this.#end(from); end >= 0; end = this.#end(from)) {
      const data = this.#text.slice(from + "data: ".length, end);
      from = end + END_OF_FRAME.length;
      if (data === "[DONE]") this.hasEnded = true;
      else tokens.push(JSON.parse(data).choices[0]?.delta?.content ?? "");
    }
    this.#text = this.#text.slice(from);
    return tokens.filter((token) => token !== "");
  }

  #end(from: number): number {
    return this.#text.indexOf(END_OF_FRAME, from);
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const user = new URL(request.url).searchParams.get("user") ?? "";
    return env.OBJECTS.getByName(user).fetch(request);
  },
} satisfies ExportedHandler<Env>;
