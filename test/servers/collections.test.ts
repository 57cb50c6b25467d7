// Collections over sockets, on plain workerd: many users at once, whose requests
// must not share anything, and kills while first documents arrive.
//
// COLLECTION_ASKS sets the number of asks, COLLECTION_SEED repeats the choices.

import { setTimeout as sleep } from "node:timers/promises";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Incarnation, type Incarnations, incarnations } from "../support/incarnations.ts";
import { ONCE } from "../support/once.ts";
import { Random } from "../support/random.ts";
import { SECRET } from "../support/server.ts";
import { Exchange } from "../support/socket-client.ts";

const ASKS = Number(process.env.COLLECTION_ASKS ?? 240);
const SEED = Number(process.env.COLLECTION_SEED ?? Math.floor(Math.random() * 2 ** 31));
const COLLECTIONS = 50;
/** Users, whose claim is another one at each ask. */
const USERS = 40;
const AT_ONCE = 32;

const JSON_TYPE = { "content-type": "application/json" };

/** Log lines of our own faults. */
const TROUBLE = /different request|^Unexpected error|^Uncaught|uncaught exception|hang/i;

let server: Incarnations;

beforeAll(async () => {
  server = await incarnations({
    AUTH_SECRET: SECRET,
    GENERATOR: "extractive",
    EXTRACTIVE_TOKENS_PER_SECOND: "0",
    QUOTA_LIMIT: "1000000",
    CONCURRENCY_LIMIT: "1000",
    DELIVERY_HOLD_MS: "0",
  });
});
afterAll(() => server.remove());

/** @param claims Without `collections` the caller reads `default`. */
function tokenOf(sub: string, claims: Record<string, unknown> = {}): Promise<string> {
  const token = new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).setSubject(sub);
  return token.setExpirationTime("1h").sign(new TextEncoder().encode(SECRET));
}

interface Caller {
  readonly url: string;
  readonly token: string;
}

const operatorOn = async ({ url }: Incarnation): Promise<Caller> => ({
  url,
  token: await tokenOf("operator", { scope: "operator" }),
});

function call(
  { url, token }: Caller,
  path: string,
  body?: unknown,
  method = body === undefined ? "GET" : "POST",
): Promise<Response> {
  return fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      "mcp-protocol-version": "2025-11-25",
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

const documentOf = (word: string) => ({
  title: `Sheds of ${word}`,
  text: `# Where is ${word} kept?\n\nThe ${word} is kept in the shed beside the pond, behind the rakes.`,
});

const wordOf = (i: number) =>
  `canary${String.fromCharCode(97 + (i % 26))}${String.fromCharCode(97 + i / 26)}q`;

const putDocument = (caller: Caller, collection: string, id: string, body: unknown) =>
  call(caller, `/api/v1/admin/collections/${collection}/documents/${id}`, body, "PUT");

const rpc = (caller: Caller, method: string, params: object = {}) =>
  call(caller, "/mcp", { jsonrpc: "2.0", id: 1, method, params });

const tool = (caller: Caller, name: string, args: object) =>
  rpc(caller, "tools/call", { name, arguments: args });

describe("users who ask at once", ONCE, () => {
  const names = Array.from({ length: COLLECTIONS }, (_, i) => `canary-${i}`);
  const words = names.map((_, i) => wordOf(i));

  beforeAll(async () => {
    const incarnation = await server.start();
    const operator = await operatorOn(incarnation);
    const stored = await Promise.all(
      names.map((name, i) =>
        putDocument(operator, name, "secrets", documentOf(words[i] as string)),
      ),
    );
    expect(stored.map(({ status }) => status)).toEqual(Array(COLLECTIONS).fill(201));
    await incarnation.kill9();
  });

  it("are the first of a new process, over MCP", async () => {
    const { url, kill9 } = await server.start();
    const texts = await Promise.all(
      names.map(async (name, i) => {
        const caller = { url, token: await tokenOf(`mcp ${i}`, { collections: [name] }) };
        const word = words[i] as string;
        const query = `Where is the ${word} kept?`;
        const sent =
          i % 4 === 0
            ? rpc(caller, "initialize", {
                ...{ protocolVersion: "2025-11-25", capabilities: {} },
                clientInfo: { name: "test", version: "1" },
              })
            : i % 2 === 0
              ? tool(caller, "ask", { question: query })
              : tool(caller, "search_documents", { query });
        const response = await sent;
        return [response.status, await response.text()] as const;
      }),
    );
    await kill9();
    texts.forEach(([status, text], i) => {
      expect([status, text]).toEqual([200, expect.any(String)]);
      expect(text).toContain(i % 4 === 0 ? "serverInfo" : `Sheds of ${words[i]}`);
      const foreign = words.filter((word, other) => other !== i && text.includes(word));
      expect(foreign).toEqual([]);
    });
    expect(server.log.filter((line) => TROUBLE.test(line))).toEqual([]);
  });

  const messages = (content: string) => [{ role: "user", content }];
  const model = ({ named }: Ask) =>
    named?.length === 1
      ? { model: `belay/${named[0]}` }
      : { model: "belay", belay: { collections: named } };

  interface Ask {
    readonly caller: Caller;
    readonly query: string;
    readonly named: readonly string[] | undefined;
  }

  const SURFACES: Readonly<Record<string, (ask: Ask) => Promise<Response>>> = {
    json: ({ caller, query, named }) =>
      call(caller, "/api/v1/ai/ask", { query, collections: named }),
    events: ({ caller, query, named }) =>
      call(caller, "/api/v1/ai/ask?stream=true", { query, collections: named }),
    history: ({ caller, query, named }) =>
      call(caller, "/api/v1/ai/ask", {
        ...{ query: "And where is it kept?", collections: named, history: messages(query) },
      }),
    completion: (ask) =>
      call(ask.caller, "/v1/chat/completions", { ...model(ask), messages: messages(ask.query) }),
    chunks: (ask) =>
      call(ask.caller, "/v1/chat/completions", {
        ...{ ...model(ask), messages: messages(ask.query), stream: true },
      }),
    response: (ask) => call(ask.caller, "/v1/responses", { ...model(ask), input: ask.query }),
    responseEvents: (ask) =>
      call(ask.caller, "/v1/responses", { ...model(ask), input: ask.query, stream: true }),
    uiMessages: ({ caller, query, named }) =>
      call(caller, "/api/v1/ai/chat", {
        messages: [{ role: "user", parts: [{ type: "text", text: query }] }],
        belay: { collections: named },
      }),
    ask: ({ caller, query, named }) => tool(caller, "ask", { question: query, collections: named }),
    search: ({ caller, query, named }) =>
      tool(caller, "search_documents", { query, collections: named }),
    examples: ({ caller, named }) =>
      call(caller, `/api/v1/ai/examples${named === undefined ? "" : `?collections=${named}`}`),
  };

  it(`see no word of a collection that they may not read, in ${ASKS} asks, seed ${SEED}`, {
    timeout: 60_000 + 30 * ASKS,
  }, async () => {
    const { url, kill9 } = await server.start();
    const random = new Random(SEED);
    /** Some of the collections, each once. */
    const some = (most: number) => [
      ...new Set(Array.from({ length: random.whole(1, most) }, () => random.pick(names))),
    ];
    const counts = { shown: 0, foreign: 0, refused: 0 };
    const surfaces = Object.keys(SURFACES);
    let n = 0;
    const one = async () => {
      n += 1;
      const claim = random.chance(0.05) ? [] : some(12);
      const isAny = random.chance(0.25) || claim.length === 0;
      const named = random.chance(1 / 3) ? undefined : isAny ? some(3) : [random.pick(claim)];
      // Of any collection, and of one that may be read.
      const own = words[names.indexOf(named?.[0] ?? claim[0] ?? "")] ?? "shed";
      const query = `Where is the ${random.pick([random.pick(words), own])} kept? Case ${n}.`;
      const surface = random.pick(surfaces);
      const user = `reader ${random.whole(1, USERS)}`;
      const caller = { url, token: await tokenOf(user, { collections: claim }) };
      const response = await SURFACES[surface]?.({ caller, query, named });
      const text = (await response?.text()) ?? "";
      const isRefused = claim.length === 0 || named?.some((one) => !claim.includes(one)) === true;
      const searched = isRefused ? [] : (named ?? claim);
      const foreign = words.filter((_, i) => !searched.includes(names[i] as string));
      const what = `${surface}, claim ${claim}, named ${named}: ${query}\n${text}`;
      // A word of the question may be said again; the title beside it may not.
      const leaked = foreign.filter((word) =>
        text.includes(query.includes(word) ? `Sheds of ${word}` : word),
      );
      expect(leaked, what).toEqual([]);
      const isShown = /behind the rakes|Sheds of|Where is canary\w+ kept\?"/.test(text);
      if (isRefused) {
        expect(isShown, what).toBe(false);
        expect(text, what).toMatch(/may read|no such model/);
        counts.refused += 1;
        return;
      }
      expect(response?.status, what).toBe(200);
      if (isShown) counts.shown += 1;
      if (foreign.some((word) => query.includes(word))) counts.foreign += 1;
    };
    const inTurn = async () => {
      while (n < ASKS) await one();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, inTurn));
    await kill9();
    // Otherwise the asks would prove nothing.
    expect(counts.shown).toBeGreaterThan(ASKS / 5);
    expect(counts.foreign).toBeGreaterThan(ASKS / 5);
    expect(counts.refused).toBeGreaterThan(ASKS / 20);
    expect(server.log.filter((line) => TROUBLE.test(line))).toEqual([]);
  });
});

interface Listed {
  readonly collections: readonly { readonly name: string; readonly documents: number }[];
  readonly after: string | null;
}

describe("kills while first documents arrive", ONCE, () => {
  it("leave each collection with its document, or no collection", async () => {
    const random = new Random(SEED);
    const document = documentOf("ferret");
    const confirmed = new Set<string>();
    const sent = new Set<string>();
    const refused = new Set<string>();
    for (let kill = 1; kill <= 8; kill += 1) {
      const incarnation = await server.start();
      const operator = await operatorOn(incarnation);
      const broken = `first-${kill}-broken`;
      refused.add(broken);
      const exchange = new Exchange(
        `${operator.url}/api/v1/admin/collections/${broken}/documents/page`,
        { method: "PUT", token: operator.token, headers: { ...JSON_TYPE, "content-length": "99" } },
      );
      exchange.send('{"title":"A');
      let n = 0;
      // A fast machine is never done before the kill.
      const putUntilKilled = async (isGood: boolean) => {
        for (;;) {
          const name = `first-${kill}-${n++}`;
          (isGood ? sent : refused).add(name);
          const body = isGood ? document : { ...document, title: "" };
          const response = await putDocument(operator, name, "page", body).catch(() => undefined);
          if (!response) return;
          if (response.ok) confirmed.add(name);
        }
      };
      const puts = [true, true, true, false].map(putUntilKilled);
      // A slow machine gets as far as a fast one.
      const before = confirmed.size;
      const wanted = random.whole(0, 6);
      while (confirmed.size - before < wanted) await sleep(1);
      await sleep(random.whole(0, 5));
      if (random.chance(0.5)) exchange.reset();
      await incarnation.kill9();
      exchange.close();
      await Promise.all(puts);
    }
    const last = await server.start();
    const operator = await operatorOn(last);
    // A fast machine makes more of them than a page holds.
    const listed = async () => {
      const all: Listed["collections"][number][] = [];
      for (let after: string | null = ""; after !== null; ) {
        const path: string = `/api/v1/admin/collections?limit=200&after=${after}`;
        const page = (await (await call(operator, path)).json()) as Listed;
        all.push(...page.collections);
        after = page.after;
      }
      return all.filter(({ name }) => name.startsWith("first-"));
    };
    const found = await listed();
    const names = found.map(({ name }) => name);
    expect(found.filter(({ documents }) => documents !== 1)).toEqual([]);
    expect(names.filter((name) => refused.has(name))).toEqual([]);
    expect([...confirmed].filter((name) => !names.includes(name))).toEqual([]);
    // Otherwise the kills would prove nothing.
    expect(confirmed.size).toBeGreaterThan(0);
    expect(confirmed.size).toBeLessThan(sent.size);
    for (const name of sent) {
      const { ok } = await putDocument(operator, name, "page", document);
      expect([name, ok]).toEqual([name, true]);
    }
    expect((await listed()).map(({ name }) => name).sort()).toEqual([...sent].sort());
    await last.kill9();
  });
});
