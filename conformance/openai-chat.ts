// Rows about OpenAI's Chat Completions: the form that OpenAI documents, and
// that an answer costs the same as over our own events.

import * as v from "valibot";
import { type Caller, json } from "./caller.ts";
import { CHARGED, free, movement } from "./cost.ts";
import type { Deployment, Row } from "./deployment.ts";
import { refunded } from "./disconnect.ts";
import type { Exchange, Reply } from "./exchange.ts";
import { expect, expectJson, expectSame, expectShape } from "./expectation.ts";
import { Chunk, Completion, expectChunks, OpenAIError } from "./openai-chunks.ts";
import { begunStream, chunksOf } from "./stream.ts";

const PATH = "/v1/chat/completions";

export const OPENAI_CHAT: readonly Row[] = [
  {
    name: "GET /v1/models lists the model `belay`",
    async check({ user }) {
      const body = json(await user.exchange("GET", "/v1/models").reply(), "GET /v1/models");
      const { data } = expectShape(Models, body, "the models");
      const ids = data.map(({ id }) => id);
      expect(ids.includes("belay"), `the models are ${ids.join(", ")}`);
      return ids.join(", ");
    },
  },
  {
    name: "a stream of chat completions has OpenAI's form, and is charged once",
    async check({ user, question }) {
      const before = await user.quota();
      const fields = { stream: true, stream_options: { include_usage: true } };
      const asked = complete(user, question, fields);
      const queryId = await begunStream(asked);
      await asked.untilEnd();
      const chunks = chunksOf(Chunk, asked.body, { comments: false });
      const usage = chunks.pop();
      expect(usage?.choices.length === 0 && usage.usage, "the last chunk has no usage");
      const text = expectChunks(chunks);
      const receipt = await user.resolved(queryId);
      expectSame([receipt.state, receipt.answer], ["charged", text], "state and answer");
      expectSame(movement(before, await user.quota()), CHARGED, "the movement");
      return `${chunks.length} chunks`;
    },
  },
  {
    name: "a chat completion in one body has OpenAI's form, and is charged once",
    async check({ user, question }) {
      const before = await user.quota();
      const reply = await complete(user, question).reply();
      const whole = expectShape(Completion, json(reply, "a completion"), "a completion");
      const queryId = String(reply.headers["x-query-id"]);
      expectSame(whole.belay.queryId, queryId, "belay.queryId");
      const receipt = await user.resolved(queryId);
      const text = whole.choices[0]?.message.content;
      expectSame([receipt.state, receipt.answer], ["charged", text], "state and answer");
      const after = await user.quota();
      expectSame(movement(before, after), CHARGED, "the movement");
      expectSame(whole.belay.quotaRemaining, after.remaining, "belay.quotaRemaining");
      return `${receipt.answer?.length} characters`;
    },
  },
  {
    name: "a disconnect from a stream of chat completions is refunded",
    async check({ user, question }) {
      const ask = () => complete(user, question, { stream: true });
      return (await refunded(user, ask)).detail;
    },
  },
  {
    name: "chat completions are refused in OpenAI's form",
    check: (deployment) => free(deployment, () => refusals(deployment)),
  },
  {
    name: "a used-up quota is `insufficient_quota`, with x-should-retry: false",
    async check(deployment) {
      const { user, question } = deployment;
      return deployment.during({ limit: 0 }, () =>
        free(deployment, async () => {
          for (const stream of [false, true]) {
            const reply = await complete(user, question, { stream }).reply();
            const { type, code } = expectOpenAIError(reply, 429, { stream });
            expectSame([type, code], ["insufficient_quota", "insufficient_quota"], "type and code");
            expectSame(reply.headers["x-should-retry"], "false", "x-should-retry");
          }
          return "streamed or not";
        }),
      );
    },
  },
];

const Models = v.looseObject({
  object: v.literal("list"),
  data: v.array(v.looseObject({ id: v.string(), object: v.literal("model") })),
});

async function refusals({ user, anonymous, question }: Deployment): Promise<string> {
  const refused = async (status: number, fields: object, caller = user) =>
    expectOpenAIError(await complete(caller, question, fields).reply(), status, fields);
  const unknown = await refused(404, { model: "gpt-x" });
  expectSame([unknown.code, unknown.param], ["model_not_found", "model"], "code and param");
  const wrong: readonly (readonly [param: string, fields: object])[] = [
    ["n", { n: 2 }],
    ["tool_choice", { tool_choice: "required" }],
    ["response_format", { response_format: { type: "json_schema" } }],
    ["messages", { messages: [] }],
    ["messages", { messages: undefined }],
  ];
  for (const [param, fields] of wrong) {
    const error = await refused(400, fields);
    const named = error.param?.startsWith(param) && error.message.includes(param);
    expect(named, `it is refused without naming ${param}: ${error.message}`);
  }
  const stranger = await refused(401, {}, anonymous);
  expectSame(stranger.code, "invalid_api_key", "the code");
  return `${wrong.length} fields, an unknown model, no key`;
}

/** A new ask each time. */
function complete(caller: Caller, question: string, fields: object = {}): Exchange {
  return caller.exchange("POST", PATH, {
    body: { model: "belay", messages: [{ role: "user", content: question }], ...fields },
    headers: { "idempotency-key": crypto.randomUUID() },
  });
}

function expectOpenAIError({ status, headers, text }: Reply, wanted: number, sent: object) {
  const about = `a completion with ${JSON.stringify(sent)}`;
  expectSame(status, wanted, `the status of ${about}`);
  expectSame(headers["content-type"], "application/json", `the content type of ${about}`);
  return expectShape(OpenAIError, expectJson(text, `the body of ${about}`), about).error;
}
