// The deployment that is checked: who asks it, what it is asked, and what is changed for the time of
// the check and put back after it. Nothing is known of it but its address and two bearer tokens.

import { Failure, UsageError } from "../scripts/command.ts";
import type { Quota, Receipt } from "../src/protocol.ts";
import type { Caller } from "./caller.ts";
import type { Exchange } from "./exchange.ts";
import { expectShape, Mismatch } from "./expectation.ts";
import { Inspection } from "./shapes.ts";
import { begun, type Told, toEnd } from "./stream.ts";

/** One thing that a deployment promises, and the check of it, which says what it saw. */
export interface Row {
  readonly name: string;
  check(deployment: Deployment): Promise<string>;
}

/** Variables that change what is promised, with their defaults. */
export const VARIABLES = {
  CONCURRENCY_LIMIT: "3",
  CORS_ORIGINS: "",
  REPEAT_WINDOW_SECONDS: "10",
  RESUME_WAIT_SECONDS: "15",
  RETRIEVER: "full-text",
  SHARE_QUERIES: "true",
};

/** An answer that was read to its end, and what it cost. */
export interface Answered {
  readonly key: string;
  readonly exchange: Exchange;
  readonly told: Told;
  readonly receipt: Receipt;
  readonly before: Quota;
  readonly after: Quota;
}

export interface Settings {
  readonly limit?: number | null;
  readonly refundLimit?: number | null;
  readonly blocked?: boolean;
}

/** More than a whole check asks. */
const ROOM = 1_000;

export class Deployment {
  readonly user: Caller;
  readonly operator: Caller;
  readonly nobody: Caller;
  readonly variables: Readonly<typeof VARIABLES>;
  /** Where operators find the user. */
  readonly userPath: string;
  /** A document of our own, so that there is something to be told whatever else is there. */
  readonly document: { readonly id: string; readonly title: string; readonly text: string };
  /** Asked under a new key each time, it is a new ask each time. */
  readonly question: string;
  #answer: Promise<Answered> | undefined;
  /** What held for the user before; undefined until something else does. */
  #usual: Settings | undefined;

  constructor(
    callers: Pick<Deployment, "user" | "operator" | "nobody">,
    variables: Readonly<typeof VARIABLES>,
  ) {
    this.user = callers.user;
    this.operator = callers.operator;
    this.nobody = callers.nobody;
    this.variables = variables;
    const { user } = this.user;
    if (user === this.operator.user) {
      throw new UsageError("--token and --operator-token must be of two users.");
    }
    this.userPath = `/admin/users/${encodeURIComponent(user)}`;
    const nonce = crypto.randomUUID().slice(0, 8);
    this.document = { id: `conformance-${nonce}`, ...lighthouse(`quorvex${nonce}`) };
    this.question = `How does the lighthouse of quorvex${nonce} warn ships in the fog?`;
  }

  /** Makes room for what is going to be asked. */
  async begin(): Promise<void> {
    const { reserved, charged, refunded } = await this.user.quota();
    const { limit, refundLimit, blocked } = await this.inspect();
    // Whether there is an override shows when it is gone.
    const bare = await this.set({ limit: null, refundLimit: null, blocked: false });
    this.#usual = {
      limit: limit === bare.limit ? null : limit,
      refundLimit: refundLimit === bare.refundLimit ? null : refundLimit,
      blocked,
    };
    await this.set({ limit: reserved + charged + ROOM, refundLimit: refunded + ROOM });
    const { id, ...document } = this.document;
    const put = await this.operator.call("PUT", `/admin/documents/${id}`, { body: document });
    if (put.status !== 201) {
      throw new Mismatch(`a document is answered with ${put.status} ${put.text.trim()}`);
    }
  }

  /** Puts everything back. */
  async end(): Promise<void> {
    if (this.#usual === undefined) return;
    try {
      await this.operator.call("DELETE", `/admin/documents/${this.document.id}`);
      await this.set(this.#usual);
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      throw new Failure(
        `Not everything could be put back: ${error.message}. Delete the document ${this.document.id}, and PATCH the user's settings to ${JSON.stringify(this.#usual)}.`,
      );
    }
  }

  async inspect() {
    return inspection(await this.operator.json("GET", this.userPath));
  }

  async set(settings: Settings) {
    return inspection(await this.operator.json("PATCH", this.userPath, settings));
  }

  /** Does something while other settings hold for the user. */
  async during<T>(settings: Settings, work: () => Promise<T>): Promise<T> {
    const { limit, refundLimit, blocked } = await this.inspect();
    await this.set(settings);
    try {
      return await work();
    } finally {
      await this.set({ limit, refundLimit, blocked });
    }
  }

  /** One whole answer, which many rows look at. */
  answer(): Promise<Answered> {
    this.#answer ??= this.#ask();
    return this.#answer;
  }

  async #ask(): Promise<Answered> {
    const key = crypto.randomUUID();
    const before = await this.user.quota();
    const exchange = this.user.ask(this.question, {}, key);
    const queryId = await begun(exchange);
    const told = await toEnd(exchange);
    const receipt = await this.user.resolved(queryId);
    return { key, exchange, told, receipt, before, after: await this.user.quota() };
  }
}

function inspection(body: unknown) {
  return expectShape(Inspection, body, "an operator's view of a user");
}

/** Long enough to be told for some seconds, with characters in it that to some client end a line. */
function lighthouse(name: string) {
  const title = `The lighthouse\u2028of\u0085${name}`;
  const text = `# The lighthouse of ${name}

The lighthouse of ${name} warns ships in the fog with a horn and with a lamp. Its lamp turns once in ten seconds, and ships see it from twenty miles away. In the fog the horn of ${name} sounds three times each minute, so that ships know which lighthouse they hear.

## The keeper

The keeper of the lighthouse lives at its foot. When fog comes in, the keeper starts the horn and writes down each of the ships that answer. Ships that do not answer are warned again by lamp, by horn and by bell until they turn away.

## The bell

The bell of ${name} is older than the lighthouse. It warned ships in the fog long before there was a lamp, and the keeper still rings it when the horn fails.
`;
  return { title, text };
}
