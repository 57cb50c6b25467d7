// Rows about the AI SDK's chat: the form of its stream, that an answer costs
// the same as over our own events, and that a page finds its answer again.

import * as v from "valibot";
import type { Caller } from "./caller.ts";
import { CHARGED, free, movement } from "./cost.ts";
import type { Row } from "./deployment.ts";
import { refunded } from "./disconnect.ts";
import type { Exchange } from "./exchange.ts";
import { expect, expectSame } from "./expectation.ts";
import { begunStream, chunksOf } from "./stream.ts";

const PATH = "/api/v1/ai/chat";
/** They show in a silence that the connection is open. */
const COMMENTS = { comments: true };
const VERSION = "x-vercel-ai-ui-message-stream";

const Metadata = v.looseObject({});
const Source = { sourceId: v.string(), title: v.string() };
const Chunk = v.variant("type", [
  v.strictObject({
    type: v.literal("start"),
    messageId: v.string(),
    messageMetadata: v.looseObject({ queryId: v.string(), quotaRemaining: v.number() }),
  }),
  v.strictObject({ type: v.literal("message-metadata"), messageMetadata: Metadata }),
  v.strictObject({ type: v.literal("text-start"), id: v.string() }),
  v.strictObject({ type: v.literal("text-delta"), id: v.string(), delta: v.string() }),
  v.strictObject({ type: v.literal("text-end"), id: v.string() }),
  v.strictObject({ type: v.literal("source-url"), url: v.string(), ...Source }),
  v.strictObject({ type: v.literal("source-document"), mediaType: v.string(), ...Source }),
  v.strictObject({
    type: v.literal("finish"),
    finishReason: v.picklist(["stop", "length"]),
    messageMetadata: v.looseObject({ found: v.boolean(), quotaRemaining: v.number() }),
  }),
]);
type Chunk = v.InferOutput<typeof Chunk>;

/** One letter for each type of chunk: what a whole stream looks like. */
const LETTERS: Readonly<Record<Chunk["type"], string>> = {
  start: "s",
  "message-metadata": "m",
  "text-start": "(",
  "text-delta": "d",
  "text-end": ")",
  "source-url": "u",
  "source-document": "u",
  finish: "f",
};
const WHOLE = /^sm\(d+\)u*f$/;

export const UI_MESSAGE: readonly Row[] = [
  {
    name: "a chat has the form of a UI message stream, and is charged once",
    async check({ user, question }) {
      const before = await user.quota();
      const asked = chat(user, question);
      const queryId = await begunChat(asked);
      await asked.untilEnd();
      const chunks = chunksOf(Chunk, asked.body, COMMENTS);
      const form = chunks.map(({ type }) => LETTERS[type]).join("");
      expect(WHOLE.test(form), `the chunks are ${chunks.map(({ type }) => type).join(", ")}`);
      const [start] = chunks;
      expectSame(start?.type === "start" && start.messageId, queryId, "the message's id");
      const receipt = await user.resolved(queryId);
      expectSame([receipt.state, receipt.answer], ["charged", textOf(chunks)], "state and answer");
      expectSame(movement(before, await user.quota()), CHARGED, "the movement");
      return `${chunks.length} chunks`;
    },
  },
  {
    name: "a disconnect from a chat is refunded",
    async check({ user, question }) {
      return (await refunded(user, () => chat(user, question))).detail;
    },
  },
  {
    name: "a chat that waits is read again from its beginning, and is charged once",
    async check({ user, question }) {
      const before = await user.quota();
      const id = crypto.randomUUID();
      expectSame(await resumed(user, id).untilStatus(), 204, "the status before the ask");
      const asked = chat(user, question, { id, belay: { onDisconnect: "wait" } });
      const queryId = await begunChat(asked);
      asked.disconnect();
      const again = resumed(user, id);
      expectSame(await begunChat(again), queryId, "the query that is read again");
      await again.untilEnd();
      const receipt = await user.resolved(queryId);
      const text = textOf(chunksOf(Chunk, again.body, COMMENTS));
      expectSame([receipt.state, receipt.answer], ["charged", text], "state and answer");
      expectSame(movement(before, await user.quota()), CHARGED, "the movement");
      return `${text.length} characters`;
    },
  },
  {
    name: "a chat is refused with a sentence in plain text",
    check: (deployment) =>
      free(deployment, async () => {
        const { user, anonymous, question } = deployment;
        const long = "x".repeat(4_001);
        const file = { type: "file", mediaType: "image/png", url: "data:," };
        const withFile = [{ role: "user", parts: [file, { type: "text", text: question }] }];
        const refusals: readonly (readonly [status: number, asked: Exchange])[] = [
          [400, chat(user, long)],
          [400, chat(user, question, { messages: [] })],
          [400, chat(user, question, { messages: withFile })],
          [401, chat(anonymous, question)],
        ];
        for (const [status, asked] of refusals) await expectSentence(asked, status);
        return `${refusals.length} refusals`;
      }),
  },
];

/** A new ask each time, as the default transport sends it. */
function chat(caller: Caller, question: string, fields: object = {}): Exchange {
  const messages = [{ id: "m", role: "user", parts: [{ type: "text", text: question }] }];
  return caller.exchange("POST", PATH, {
    body: { id: crypto.randomUUID(), messages, trigger: "submit-message", ...fields },
    headers: { "idempotency-key": crypto.randomUUID() },
  });
}

function resumed(caller: Caller, id: string): Exchange {
  return caller.exchange("GET", `${PATH}/${id}/stream`);
}

/** The id of the query, after checking that an answer begins. */
async function begunChat(exchange: Exchange): Promise<string> {
  const queryId = await begunStream(exchange);
  expectSame(exchange.headers[VERSION], "v1", VERSION);
  return queryId;
}

function textOf(chunks: readonly Chunk[]): string {
  return chunks.map((chunk) => (chunk.type === "text-delta" ? chunk.delta : "")).join("");
}

async function expectSentence(asked: Exchange, wanted: number): Promise<void> {
  const { status, headers, text } = await asked.reply();
  expectSame(status, wanted, "the status");
  expectSame(headers["content-type"], "text/plain; charset=utf-8", "the content type");
  expect(/^[A-Z][^{}]*\.$/.test(text), `the body is ${text}`);
}
