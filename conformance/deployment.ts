// The deployment to check, known by its address and two bearer tokens. What the
// check changes there, `end` restores.

import { Failure, UsageError } from "../scripts/command.ts";
import type { Quota, Receipt } from "../src/protocol.ts";
import type { Caller } from "./caller.ts";
import type { Exchange } from "./exchange.ts";
import { expectShape, Mismatch } from "./expectation.ts";
import { Inspection } from "./shapes.ts";
import { begun, type Told, toEnd } from "./stream.ts";

/** One promise of a deployment. `check` returns what it saw, in words. */
export interface Row {
  readonly name: string;
  check(deployment: Deployment): Promise<string>;
}

interface TestDocument {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** Variables that change the promise, with their defaults. */
export const VARIABLES = {
  CONCURRENCY_LIMIT: "3",
  CORS_ORIGINS: "",
  REPEAT_WINDOW_SECONDS: "10",
  RESUME_WAIT_SECONDS: "15",
  RETRIEVER: "full-text",
  SHARE_QUERIES: "true",
};

/** An answer, read to its end, and what it cost. */
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

/** More asks than a check makes. */
const ASKS_MAX = 1_000;

export class Deployment {
  readonly user: Caller;
  readonly operator: Caller;
  readonly anonymous: Caller;
  readonly variables: Readonly<typeof VARIABLES>;
  /** The operators' route of the user. */
  readonly userPath: string;
  /** A document of our own, so that the question has an answer. */
  readonly document: TestDocument;
  /** Each time it is asked with a new key, it is a new ask. */
  readonly question: string;
  #answer: Promise<Answered> | undefined;
  #hasSamples = false;
  /** The user's settings before the check; undefined until they change. */
  #usual: Settings | undefined;

  constructor(
    callers: Pick<Deployment, "user" | "operator" | "anonymous">,
    variables: Readonly<typeof VARIABLES>,
  ) {
    this.user = callers.user;
    this.operator = callers.operator;
    this.anonymous = callers.anonymous;
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

  /** Raises the user's limits and adds the document. */
  async begin(): Promise<void> {
    const { reserved, charged, refunded } = await this.user.quota();
    const { limit, refundLimit, blocked } = await this.inspect();
    // An override shows when it is removed.
    const usual = await this.set({ limit: null, refundLimit: null, blocked: false });
    this.#usual = {
      limit: limit === usual.limit ? null : limit,
      refundLimit: refundLimit === usual.refundLimit ? null : refundLimit,
      blocked,
    };
    await this.set({ limit: reserved + charged + ASKS_MAX, refundLimit: refunded + ASKS_MAX });
    const { documents } = (await this.operator.json("GET", "/admin/documents?limit=1")) as {
      readonly documents: readonly { readonly sample?: boolean }[];
    };
    this.#hasSamples = documents[0]?.sample === true;
    const { id, ...document } = this.document;
    const body = this.documentBody(document);
    const put = await this.operator.call("PUT", `/admin/documents/${id}`, { body });
    if (put.status !== 201) {
      throw new Mismatch(`a document is answered with ${put.status} ${put.text.trim()}`);
    }
  }

  /** Beside samples it is sent as one, so that it does not replace them. */
  documentBody(document: object): object {
    return this.#hasSamples ? { ...document, sample: true } : document;
  }

  /** Restores settings and documents. */
  async end(): Promise<void> {
    if (this.#usual === undefined) return;
    try {
      await this.operator.call("DELETE", `/admin/documents/${this.document.id}`);
      await this.set(this.#usual);
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      throw new Failure(
        `Not everything could be restored: ${error.message}. Delete the document ${this.document.id}, and PATCH the user's settings to ${JSON.stringify(this.#usual)}.`,
      );
    }
  }

  async inspect() {
    return inspection(await this.operator.json("GET", this.userPath));
  }

  async set(settings: Settings) {
    return inspection(await this.operator.json("PATCH", this.userPath, settings));
  }

  /** Does something while the user has other settings. */
  async during<T>(settings: Settings, work: () => Promise<T>): Promise<T> {
    const { limit, refundLimit, blocked } = await this.inspect();
    await this.set(settings);
    try {
      return await work();
    } finally {
      await this.set({ limit, refundLimit, blocked });
    }
  }

  /** One whole answer, which many rows check. */
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

/** Takes some seconds, and has characters that end lines for some client. */
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
