// A real server with two documents and a scripted model, and its users, as an
// application sees them: an address, a key and a package.

import { expect, vi } from "vitest";
import type { RefundReason } from "../../src/protocol.ts";
import { type Directive, type ModelRequest, scripted } from "../support/directive.ts";
import { type ScriptedServer, SECRET, startScriptedServer } from "../support/server.ts";
import { bearer, request } from "../support/socket-client.ts";
import { User } from "../support/user.ts";

export const LIMIT = 20;

/** A test that passes does not wait that long. */
const PATIENCE_MS = 20_000;

/** Nothing in the documents is about it, and the model says so. */
export const NOTHING_FOUND = {
  question: "How many zorblaks fit into a quimplestad?",
  script: { tokens: ["[0] ", "Nothing ", "was ", "found."] },
  answer: "Nothing was found.",
};

/** One can be linked to, the other cannot. Both are found for every ask. */
export const DOCUMENTS = {
  quota: {
    title: "Quota",
    text: "The quota is twenty answers a day. What is charged counts towards the quota.",
    url: "https://docs.example/quota",
  },
  refunds: {
    title: "Refunds",
    text: "What is not delivered is refunded to the quota.",
  },
};

export class Site {
  readonly #server: ScriptedServer;
  readonly #operator: string;

  private constructor(server: ScriptedServer, operator: string) {
    this.#server = server;
    this.#operator = operator;
  }

  static async start(more: Readonly<Record<string, string>> = {}): Promise<Site> {
    const vars = { QUOTA_LIMIT: String(LIMIT), PING_INTERVAL_MS: "100", RESUME_WAIT_SECONDS: "1" };
    const server = await startScriptedServer({ vars: { ...vars, ...more } });
    const site = new Site(server, await bearer(SECRET, { user: "olivia", operator: true }));
    for (const [id, body] of Object.entries(DOCUMENTS)) {
      await site.#operate("PUT", `/admin/documents/${id}`, body);
    }
    return site;
  }

  get url(): string {
    return this.#server.url;
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** A new user, with a limit of their own if one is given. */
  async customer(limit = LIMIT): Promise<Customer> {
    const name = crypto.randomUUID();
    if (limit !== LIMIT) await this.#operate("PATCH", `/admin/users/${name}`, { limit });
    return new Customer(this.url, name, await User.on(this.url, SECRET, name), (tag) =>
      this.#server.model.requests.filter((asked) => asked.tag === tag),
    );
  }

  async #operate(method: string, path: string, body: unknown): Promise<void> {
    const options = { token: this.#operator, method, body };
    const { status } = await request(`${this.url}/api/v1${path}`, options);
    expect(status).toBeLessThan(300);
  }
}

/** What a package sent, and the text that it got so far. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: Record<string, unknown> | undefined;
  status: number | undefined;
  received: string;
}

export class Customer {
  readonly url: string;
  /** Of the user, and the tag of the asks that reach the model. */
  readonly name: string;
  readonly user: User;
  /** All requests of the package, oldest first. */
  readonly seen: Seen[] = [];
  readonly #asked: (tag: string) => readonly ModelRequest[];
  #withholds = false;
  /** Called with every change of what was received. */
  #onChange = () => {};

  constructor(
    url: string,
    name: string,
    user: User,
    asked: (tag: string) => readonly ModelRequest[],
  ) {
    this.url = url;
    this.name = name;
    this.user = user;
    this.#asked = asked;
  }

  /** The key that the application configures. */
  get key(): string {
    return this.user.token;
  }

  /** A question that makes the model follow the directive. */
  question(directive: Directive = {}, words?: string): string {
    return scripted({ ...directive, tag: this.name }, words);
  }

  /** The requests that reached the model, oldest first. */
  get asked(): readonly ModelRequest[] {
    return this.#asked(this.name);
  }

  /** The requests of the package that asked, oldest first. */
  get posts(): readonly Seen[] {
    return this.seen.filter(({ method }) => method === "POST");
  }

  /** For the package to use. It changes nothing. */
  readonly fetch: typeof fetch = async (input, init) => {
    const { method, url, headers } = new Request(input, init);
    const seen: Seen = {
      method,
      path: new URL(url).pathname,
      headers,
      body: typeof init?.body === "string" ? JSON.parse(init.body) : undefined,
      status: undefined,
      received: "",
    };
    this.seen.push(seen);
    const response = await fetch(input, init);
    if (this.#withholds) await aborted(init?.signal);
    seen.status = response.status;
    const decoder = new TextDecoder();
    const tap = new TransformStream<Uint8Array, Uint8Array>({
      transform: (bytes, controller) => {
        seen.received += decoder.decode(bytes, { stream: true });
        controller.enqueue(bytes);
        this.#onChange();
      },
    });
    return new Response(response.body?.pipeThrough(tap) ?? null, response);
  };

  /** From now on the package gets no response until it leaves. */
  withhold(): void {
    this.#withholds = true;
  }

  /** Resolves as soon as the package has received what is looked for. */
  received(wanted: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        const texts = this.seen.map(({ received }) => received);
        reject(new Error(`No ${wanted} has come:\n${texts.join("\n\n")}`));
      }, PATIENCE_MS);
      this.#onChange = () => {
        if (!this.seen.some(({ received }) => wanted.test(received))) return;
        clearTimeout(late);
        resolve();
      };
      this.#onChange();
    });
  }

  /** Resolves once the model has been asked. */
  async modelAsked(): Promise<void> {
    await vi.waitUntil(() => this.asked.length > 0, { timeout: PATIENCE_MS, interval: 5 });
  }

  /** Holds that all asks so far were charged or refunded as said. */
  async paid(paid: {
    readonly charged?: number;
    readonly refunded?: number;
    readonly reason?: RefundReason;
  }): Promise<void> {
    const { charged = 0, refunded = 0, reason = "disconnected" } = paid;
    await vi.waitFor(async () => {
      const quota = await this.user.quota();
      expect(quota).toMatchObject({ reserved: 0, charged, refunded });
      expect(quota.remaining).toBe(quota.limit - charged);
    });
    const receipts = await this.user.queries();
    expect(receipts.length).toBe(charged + refunded);
    for (const receipt of receipts) {
      if (receipt.state === "refunded") expect(receipt.reason).toBe(reason);
    }
  }

  /** Holds that the model stopped before its answer ended, if it was asked. */
  async modelStopped(): Promise<void> {
    await vi.waitFor(() => {
      for (const { state } of this.asked) expect(state).toBe("aborted");
    });
  }
}

/** Rejects when the signal aborts. */
function aborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
