// What must hold for every package that asks over a chat surface, streamed and
// not. A package's own file says how it asks and what is special about it.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Directive } from "../support/directive.ts";
import { MOMENTS, type Moment } from "../support/moments.ts";
import type { Extras } from "./extras.ts";
import { type Customer, DOCUMENTS, LIMIT, NOTHING_FOUND, Site } from "./site.ts";

export type Message = {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
};

export interface Asked {
  readonly messages: readonly Message[];
  readonly streaming: boolean;
  readonly signal?: AbortSignal;
  /** By default `belay`. */
  readonly model?: string;
  /** By default the customer's. */
  readonly key?: string;
  /** A field that would change the answer, in the package's own way. */
  readonly unsupported?: boolean;
  /** Called with each piece of a stream. */
  onText?(text: string): void;
}

/** Only what an application gets from the package. */
export interface Answered extends Extras {
  readonly text: string;
  readonly finish: string;
}

/** What an application can read of an error. */
export interface Failure {
  readonly status: number | undefined;
  readonly code: string | null | undefined;
  readonly message: string;
}

export interface Package {
  /** Throws the package's own error. */
  ask(customer: Customer, asked: Asked): Promise<Answered>;
  failure(error: unknown): Failure;
  /** How the package names the end of a whole answer. */
  readonly finish: string;
  /** How the field is called that `unsupported` adds. */
  readonly unsupported: string;
  /** What a stream contains once it has begun, and once sources were found. */
  readonly shows: { readonly opening: RegExp; readonly sources: RegExp };
  /** How often the package sends an ask that is refused, or that fails. */
  readonly sends: { readonly withoutQuota: number; readonly failing: number };
}

export const CHAT_SHOWS = { opening: /\n\n/, sources: /"sources":/ };

/** The words that the scripted model makes up. */
export const words = (count: number): string =>
  Array.from({ length: count }, (_, n) => `w${n} `).join("");

/** Resolves when the customer has what it has at this moment. */
export async function arrived(
  customer: Customer,
  { has }: Moment,
  shows: Package["shows"],
): Promise<void> {
  if (typeof has === "number") return customer.received(new RegExp(`w${has - 1} `));
  if (has !== "nothing") return customer.received(shows[has]);
  customer.withhold();
  return customer.modelAsked();
}

/** The tests of one package, with a server of their own. */
export function prove(name: string, asks: Package): () => Site {
  let site: Site;
  beforeAll(async () => {
    site = await Site.start();
  });
  afterAll(() => site.stop());

  describe.concurrent.each([
    { mode: "streamed", streaming: true },
    { mode: "in one body", streaming: false },
  ])(`${name}, $mode`, ({ streaming }) => {
    const ask = (customer: Customer, content: string, asked: Partial<Asked> = {}) =>
      asks.ask(customer, { streaming, messages: [{ role: "user", content }], ...asked });

    const fails = async (...asked: Parameters<typeof ask>): Promise<Failure> => {
      const error = await ask(...asked).then(
        ({ text }) => expect.unreachable(`It answered: ${text}`),
        (thrown: unknown) => thrown,
      );
      return asks.failure(error);
    };

    test("gets the whole answer with its sources, and is charged once", async () => {
      const customer = await site.customer();
      const pieces: string[] = [];
      // It cites both sources. Only one of them has an address.
      const tokens = ["Twenty ", "answers ", "a ", "day ", "[1], ", "or ", "a ", "refund ", "[2]."];
      const text = tokens.join("");
      const answer = await ask(customer, customer.question({ tokens, gapMs: 20 }), {
        onText: (piece) => pieces.push(piece),
      });
      expect(answer).toMatchObject({ text, finish: asks.finish });
      expect(answer.belay).toMatchObject({ found: true, quotaRemaining: LIMIT - 1 });
      const titles = answer.belay.sources.map(({ title }) => title);
      expect(titles.sort()).toEqual([DOCUMENTS.quota.title, DOCUMENTS.refunds.title]);
      expect(answer.cited).toEqual([DOCUMENTS.quota.url]);
      if (streaming) {
        expect(pieces.join("")).toBe(text);
        expect(pieces.filter((piece) => piece !== "").length).toBeGreaterThan(2);
      }
      await customer.paid({ charged: 1 });
      const [receipt] = await customer.user.queries();
      expect(receipt).toMatchObject({ queryId: answer.belay.queryId, answer: text });
      expect(customer.posts.length).toBe(1);
    });

    test("is told that nothing was found, free of charge", async () => {
      const customer = await site.customer();
      const { question, script, answer: text } = NOTHING_FOUND;
      const answer = await ask(customer, customer.question(script, question));
      expect(answer).toMatchObject({ text, finish: asks.finish });
      expect(answer.belay).toMatchObject({ found: false, quotaRemaining: LIMIT, sources: [] });
      expect(answer.cited).toEqual([]);
      await customer.paid({ refunded: 1, reason: "nothing_found" });
    });

    test("is told that the quota is used up, and asks for nothing then", async () => {
      const customer = await site.customer(1);
      await ask(customer, customer.question());
      const failure = await fails(customer, customer.question({ tokens: 3 }));
      expect(failure).toMatchObject({ status: 429, code: "insufficient_quota" });
      expect(failure.message).toContain("quota");
      expect(customer.posts.length).toBe(1 + asks.sends.withoutQuota);
      expect(customer.asked.length).toBe(1);
      await customer.paid({ charged: 1 });
    });

    test("is told that the model failed before its answer, and pays nothing", async () => {
      const customer = await site.customer();
      const failure = await fails(customer, customer.question({ status: 400 }));
      expect(failure.message).not.toBe("");
      if (!streaming) expect(failure.status).toBe(502);
      const sends = streaming ? 1 : asks.sends.failing;
      expect(customer.posts.length).toBe(sends);
      await customer.paid({ refunded: sends, reason: "failed" });
    });

    test("is told that the model failed in its answer, and pays nothing", async () => {
      const customer = await site.customer();
      const pieces: string[] = [];
      const script: Directive = { tokens: 10, gapMs: 10, fault: "cut", at: 5 };
      const failure = await fails(customer, customer.question(script), {
        onText: (text) => pieces.push(text),
      });
      expect(failure.message).not.toBe("");
      if (streaming) expect(pieces.join("")).toBe(words(5));
      const sends = streaming ? 1 : asks.sends.failing;
      expect(customer.posts.length).toBe(sends);
      await customer.paid({ refunded: sends, reason: "failed" });
    });

    test("is told that its key is wrong", async () => {
      const customer = await site.customer();
      const failure = await fails(customer, customer.question(), { key: "sk-wrong" });
      expect(failure).toMatchObject({ status: 401, code: "invalid_api_key" });
      expect(customer.posts.length).toBe(1);
      await customer.paid({});
    });

    test("is told that there is no such model", async () => {
      const customer = await site.customer();
      const failure = await fails(customer, customer.question(), { model: "gpt-unknown" });
      expect(failure).toMatchObject({ status: 404, code: "model_not_found" });
      expect(failure.message).toContain("belay");
      expect(customer.posts.length).toBe(1);
      await customer.paid({});
    });

    test("is told which field is not supported", async () => {
      const customer = await site.customer();
      const failure = await fails(customer, customer.question(), { unsupported: true });
      expect(failure.status).toBe(400);
      expect(failure.message).toContain(asks.unsupported);
      expect(customer.posts.length).toBe(1);
      await customer.paid({});
    });

    test("asks twice, one after the other", async () => {
      const customer = await site.customer();
      for (const tokens of [3, 4]) {
        const answer = await ask(customer, customer.question({ tokens }));
        expect(answer.text).toBe(words(tokens));
      }
      await customer.paid({ charged: 2 });
    });

    test("asks a follow-up with its history and instructions, which reach the model", async () => {
      const customer = await site.customer();
      const instructions = "Answer like a pirate.";
      const messages: Message[] = [
        { role: "system", content: instructions },
        { role: "user", content: "What is the quota?" },
        { role: "assistant", content: "It is twenty answers a day." },
        { role: "user", content: customer.question({ tokens: 3 }, "And what is refunded?") },
      ];
      const answer = await ask(customer, "", { messages });
      expect(answer.text).toBe(words(3));
      const [asked] = customer.asked;
      expect(asked?.roles).toEqual(["system", "user", "assistant", "user"]);
      const [system, question, reply] = asked?.messages ?? [];
      expect(system?.content).toContain(instructions);
      expect(question?.content).toBe("What is the quota?");
      expect(reply?.content).toBe("It is twenty answers a day.");
      await customer.paid({ charged: 1 });
    });

    const leaves = async (moment: Moment): Promise<Customer> => {
      const customer = await site.customer();
      const leaving = new AbortController();
      const due = arrived(customer, moment, asks.shows);
      const content = customer.question(moment.script);
      // Whether this is an error is up to the package.
      const asking = ask(customer, content, { signal: leaving.signal }).catch(() => undefined);
      await due;
      leaving.abort();
      await asking;
      await customer.paid({ refunded: 1 });
      expect(customer.posts.length).toBe(1);
      return customer;
    };

    if (streaming) {
      test.each(MOMENTS)(
        "is refunded if its user leaves $when, and the model is stopped",
        async (moment) => {
          const customer = await leaves(moment);
          await customer.modelStopped();
        },
      );
    } else {
      // A closed connection shows when the answer goes out: the model ends first.
      test("is refunded if its user leaves before the answer", async () => {
        const script = { tokens: 20, gapMs: 20 };
        await leaves({ when: "before the answer", script, has: "nothing" });
      });
    }
  });

  return () => site;
}
