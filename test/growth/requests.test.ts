// A request is read in linear time, much of it before authentication.
// The same over a socket is in ../servers/requests.test.ts.

import { type IRequest, Router } from "itty-router";
import { describe, expect, it } from "vitest";
import { addressOf } from "../../src/edge/address.ts";
import { bodyLines } from "../../src/edge/body-lines.ts";
import { preflight, withCors } from "../../src/edge/cors.ts";
import { isSameOrigin, meantOrigin, originOf } from "../../src/origin.ts";
import {
  cookieOf,
  decodeParameter,
  isName,
  readJson,
  refuseCompressed,
  withoutRepeats,
} from "../../src/request.ts";
import { isVisible } from "../../src/text/visible.ts";
import { parseAsk, parseFeedback, parseSettingsChange } from "../../src/user/ask.ts";
import {
  between,
  EXPONENT_MAX,
  growth,
  numbered,
  readingMs,
  repeated,
  type Shape,
} from "../support/growth.ts";

/** The longest head, or body without a document. */
const BOUNDS = { from: 8_000, to: 64_000 };
const SITE = "https://belay.test";
type Read = (text: string) => unknown;
type Case = readonly [what: string, read: Read, shape: Shape];

const withHeader = (name: string, text: string) =>
  new Request(`${SITE}/api/v1/ai/ask`, { method: "POST", headers: { [name]: text } });

// The path patterns of edge.ts, in the same router.
const router = Router<IRequest>()
  .get("/api/v1/ai/queries/:id", () => null)
  .get("/api/v1/ai/queries/:id/events", () => null)
  .post("/api/v1/admin/users/:userId/queries/:id/refund", () => null)
  .all("/api/v1/ai/*", () => null);
const route: Read = (path) => {
  router.fetch({ method: "GET", url: SITE + path } as IRequest);
  return router.fetch({ method: "POST", url: SITE + path } as IRequest);
};

const query: Read = (text) => withoutRepeats(new URL(`${SITE}/healthz?${text}`).searchParams);
const cookie: Read = (text) => cookieOf(withHeader("cookie", text), "belay");
const origin: Read = (text) => isSameOrigin(withHeader("origin", text));
const cors: Read = (text) => withCors(withHeader("origin", text), new Response(""), [SITE]);
const requested: Read = (text) => {
  const headers = { origin: SITE, "access-control-request-headers": text };
  return preflight(new Request(SITE, { method: "OPTIONS", headers }), [SITE]);
};
const address: Read = (text) => addressOf(withHeader("cf-connecting-ip", text));
const peer: Read = (text) =>
  addressOf(Object.assign(new Request(SITE), { cf: { clientIp: text } }) as unknown as Request);
const coding: Read = (text) => refuseCompressed(withHeader("content-encoding", text));
const type: Read = (text) => readJson(withHeader("content-type", text), LIMITS);

const LIMITS = { bytesMax: 8_000_000, timeoutMs: 60_000, untyped: true };
const bodyOf = (body: string) => readJson(new Request(SITE, { method: "POST", body }), LIMITS);
const ask: Read = async (body) => parseAsk(await bodyOf(body), ["default"]);
const feedback: Read = async (body) => parseFeedback(await bodyOf(body));
const settings: Read = async (body) => parseSettingsChange(await bodyOf(body));

const CASES: readonly Case[] = [
  ["slashes after a path", route, between("/api/v1/ai/queries/", "/", "x")],
  ["slashes around a name", route, between("/api/v1/ai/queries/a", "/", "x/events/")],
  ["many segments", route, between("/api/v1/admin/users/", "a/", "refund")],
  ["many queries of a user", route, between("/api/v1/admin/users/a", "/queries/a", "/refun")],
  ["a long name", route, between("/api/v1/ai/queries/", "a", "/event")],
  ["encoded line ends", route, between("/api/v1/ai/queries/", "%0a", "/events")],
  ["steps back", route, between("/api/v1/", "a/../", "ai")],

  ["a parameter that is repeated", query, repeated("a=b&")],
  ["parameters that all differ", query, numbered((n) => `${n}=&`)],
  ["parameters named like prototypes", query, repeated("__proto__=a&constructor=b&")],
  ["ampersands", query, repeated("&")],
  ["percent signs", query, repeated("%")],
  ["plus signs", query, between("a=", "+", "")],

  ["semicolons in a cookie", cookie, repeated(";")],
  ["blanks in a cookie", cookie, between("a=b;", " \t", "c")],
  ["many cookies", cookie, numbered((n) => `a${n}=b; `)],
  ["a cookie of ours after many others", cookie, between("", "belay2=a; ", "belay=b")],
  ["a cookie of dots", cookie, between("belay=", "a.", "b")],
  ["a cookie of one part", cookie, between("belay=", "a", "")],
  ["labels in an origin", origin, between("https://", "a.", "test")],
  ["Punycode in an origin", origin, between("https://", "xn--a-", ".test")],
  ["colons in an origin", origin, between("https://", ":", "")],
  ["an origin that is not listed", cors, between("https://", "a.", "test")],
  ["names in a preflight", requested, repeated("a,")],
  ["one name in a preflight", requested, repeated("a")],
  ["blanks in a preflight", requested, between("a,", " ", ",b")],

  ["an address of colons", address, repeated(":")],
  ["an address of zeros", address, repeated("0:")],
  ["an address of ports", peer, repeated(":1")],
  ["an address in brackets", peer, between("[", "a:", "]:1")],
  ["an address in digits", peer, between("::ffff:", "1.", "1")],

  ["codings", coding, repeated("identity,")],
  ["a coding of blanks", coding, between("a", " ", "b")],
  ["a type of suffixes", type, between("application/", "a+", "xml")],
  ["a type of blanks", type, between("application/json", " ", ";")],
  ["parameters of a type", type, between("text/html", ";a=b", "")],

  ["an origin in the settings", originOf, between("https://", "a.", "test")],
  ["a wrong origin in the settings", meantOrigin, repeated("a.")],
  ["an origin of wildcards in the settings", meantOrigin, between("https://", "*.", "test")],
  ["quotes in the settings", meantOrigin, repeated("\"' ")],
  ["slashes in the settings", meantOrigin, repeated("/")],

  ["a name in percents", decodeParameter, repeated("%41")],
  ["percents that say nothing", decodeParameter, repeated("%")],
  ["a long user name", isName, repeated("a")],
  ["a name of pairs", isName, repeated("😀")],
  ["invisible text", isVisible, repeated("\u200b\u{e0100}")],
  ["invisible text before the rest", isVisible, between("", "\u200b ", "x")],

  ["a body of brackets", ask, repeated("[")],
  ["a deep body", ask, repeated('{"query":')],
  [
    "unknown fields",
    ask,
    between(
      '{"query":"x",',
      numbered((n) => `"f${n}":1,`),
      '"f":1}',
    ),
  ],
  ["one field, often", ask, between("{", '"query":"x",', '"query":"x"}')],
  ["a list of numbers", ask, between('{"query":"x","history":[', "1,", "1]}")],
  ["a list of empty turns", ask, between('{"query":"x","history":[', "{},", "{}]}")],
  [
    "a list of turns",
    ask,
    between('{"query":"x","history":[', '{"role":"user","content":"x"},', "1]}"),
  ],
  [
    "unknown fields in a turn",
    ask,
    between(
      '{"query":"x","history":[{',
      numbered((n) => `"f${n}":1,`),
      '"f":1}]}',
    ),
  ],
  ["a query of blanks", ask, between('{"query":"', " ", 'x"}')],
  ["a query of escapes", ask, between('{"query":"', "\\ud83d", '"}')],
  ["a query of pairs", ask, between('{"query":"', "😀", '"}')],
  ["a number of digits", ask, between('{"query":"x","topK":', "9", "}")],
  ["a comment of blanks", feedback, between('{"queryId":"1","rating":"up","comment":"', " ", '"}')],
  ["a long id", feedback, between('{"queryId":"', "a", '","rating":"up"}')],
  ["a limit of digits", settings, between('{"limit":', "9", "}")],
];

/** Small, so that the number of pieces counts more than that of bytes. */
const PIECE_BYTES = 256;
const MANY_PIECES = { from: 62_500, to: 500_000 };

function inPieces(text: string): Request {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.subarray(at, at + PIECE_BYTES));
      else controller.close();
      at += PIECE_BYTES;
    },
  });
  return new Request(SITE, { method: "POST", body, duplex: "half" } as RequestInit);
}

const lines: Read = async (text) => {
  for await (const _ of bodyLines(inPieces(text), LIMITS.timeoutMs));
};

const LINES: readonly Case[] = [
  ["one line", lines, repeated("a")],
  ["one line of many bytes a character", lines, repeated("é")],
  ["empty lines", lines, repeated("\n")],
  ["a long line after many short ones", lines, between("", "a\n", "b".repeat(20_000))],
];

/** A reader that refuses a text has also read it. */
async function readOrRefuse(read: Read, text: string): Promise<void> {
  try {
    await read(text);
  } catch {
    // Other tests check its message.
  }
}

describe("a request is read in linear time:", () => {
  it.each(CASES)("%s", (_what, read, shape) => expectLinear(read, shape, BOUNDS));
});

describe("a body of lines that comes in many pieces is read in linear time:", () => {
  it.each(LINES)("%s", (_what, read, shape) => expectLinear(read, shape, MANY_PIECES));
});

async function expectLinear(read: Read, shape: Shape, bounds: typeof BOUNDS): Promise<void> {
  const { exponent, length, ms } = await growth((length) => {
    const text = shape(length);
    return readingMs(() => readOrRefuse(read, text));
  }, bounds);
  expect(exponent, `${Math.round(ms)} ms for ${length}`).toBeLessThan(EXPONENT_MAX);
}
