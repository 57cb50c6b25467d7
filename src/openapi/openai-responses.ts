// OpenAI's Responses, as far as Belay has them.

import * as v from "valibot";
import { BODY } from "../formats/openai-responses-request.ts";
import { count, source } from "./bodies.ts";
import { ANSWER_HEADERS } from "./headers.ts";
import { type Parameter, type Part, shape } from "./operation.ts";
import { askedTooOften, idempotencyKey } from "./readers.ts";
import { ASK_ERRORS } from "./refusals.ts";

const annotation = v.object({
  type: v.literal("url_citation"),
  start_index: count,
  end_index: count,
  title: v.string(),
  url: v.string(),
});

const outputText = v.object({
  type: v.literal("output_text"),
  text: v.string(),
  annotations: v.array(annotation),
  logprobs: v.array(v.unknown()),
});

const message = v.object({
  type: v.literal("message"),
  id: v.string(),
  status: v.picklist(["in_progress", "completed", "incomplete"]),
  role: v.literal("assistant"),
  content: v.array(outputText),
});

const response = v.object({
  id: v.string(),
  object: v.literal("response"),
  created_at: count,
  completed_at: v.exactOptional(count),
  status: v.picklist(["in_progress", "completed", "incomplete", "failed", "cancelled"]),
  error: v.nullable(v.object({ code: v.literal("server_error"), message: v.string() })),
  incomplete_details: v.nullable(v.object({ reason: v.literal("max_output_tokens") })),
  background: v.boolean(),
  instructions: v.nullable(v.string()),
  max_output_tokens: v.nullable(count),
  metadata: v.record(v.string(), v.string()),
  model: v.string(),
  previous_response_id: v.nullable(v.string()),
  temperature: v.nullable(v.number()),
  output: v.array(message),
  usage: v.exactOptional(
    v.object({
      input_tokens: count,
      input_tokens_details: v.object({ cached_tokens: count, cache_write_tokens: count }),
      output_tokens: count,
      output_tokens_details: v.object({ reasoning_tokens: count }),
      total_tokens: count,
    }),
  ),
  access_programs: v.null(),
  parallel_tool_calls: v.literal(false),
  store: v.literal(true),
  text: v.object({ format: v.object({ type: v.literal("text") }) }),
  tool_choice: v.literal("none"),
  tools: v.array(v.unknown()),
  top_p: v.null(),
  truncation: v.literal("disabled"),
  belay: v.object({
    queryId: v.string(),
    found: v.exactOptional(v.boolean()),
    sources: v.exactOptional(v.array(source)),
    quotaRemaining: v.exactOptional(count),
    code: v.exactOptional(v.string()),
    reason: v.exactOptional(v.nullable(v.string())),
  }),
});

const number = { sequence_number: count };
const place = { item_id: v.string(), output_index: v.literal(0), content_index: v.literal(0) };

const event = v.union([
  v.object({
    type: v.picklist([
      "response.created",
      "response.in_progress",
      "response.completed",
      "response.incomplete",
      "response.failed",
    ]),
    ...number,
    response,
  }),
  v.object({
    type: v.picklist(["response.output_item.added", "response.output_item.done"]),
    ...number,
    output_index: v.literal(0),
    item: message,
  }),
  v.object({
    type: v.picklist(["response.content_part.added", "response.content_part.done"]),
    ...number,
    ...place,
    part: outputText,
  }),
  v.object({
    type: v.literal("response.output_text.delta"),
    ...number,
    ...place,
    delta: v.string(),
    logprobs: v.array(v.unknown()),
  }),
  v.object({
    type: v.literal("response.output_text.annotation.added"),
    ...number,
    ...place,
    annotation_index: count,
    annotation,
  }),
  v.object({
    type: v.literal("response.output_text.done"),
    ...number,
    ...place,
    text: v.string(),
    logprobs: v.array(v.unknown()),
  }),
  v.object({
    type: v.literal("error"),
    ...number,
    code: v.string(),
    message: v.string(),
    param: v.null(),
    error: v.object({
      type: v.string(),
      code: v.string(),
      message: v.string(),
      param: v.null(),
    }),
  }),
]);

const responseId: Parameter = {
  name: "id",
  in: "path",
  about: "The response's id, or its query's.",
  schema: { type: "string" },
  example: "resp_1-0b8e1f6c2d3a4b5c9d7e8f9012345678",
};

export function openAiResponses(): Part {
  return {
    tag: "OpenAI Responses",
    about: "For clients of OpenAI's API that resume, follow up and cancel.",
    refusal: "OpenAiError",
    shapes: {
      ResponseBody: shape(BODY, "A question. Members that are not here are ignored.", {
        model: "`belay`, or `belay/default`.",
        input: "The question, or messages, of which the last is the question.",
        instructions: "Passed on to the model after ours.",
        previous_response_id: "The response whose turns come before.",
        stream: "Whether the answer comes as events.",
        background: "Whether the answer is finished and charged without a connection.",
        max_output_tokens: "The longest answer, in tokens.",
        temperature: "By default the model's own.",
        metadata: "Repeated in the responses of this request, and not stored.",
        belay: "Our own options, as in `AskBody`.",
        conversation: "Not supported.",
        prompt: "Not supported.",
        n: "There is one answer.",
        tool_choice: "No tool is called.",
        text: "Answers are text.",
      }),
      Response: shape(response, "An answer as it is now.", {
        id: "`resp_` and the query's id.",
        object: "What it is.",
        created_at: "When it was asked, in seconds since the epoch.",
        completed_at: "When it was whole, of a stored one.",
        status: "`in_progress` while it is written.",
        error: "Why it failed.",
        incomplete_details: "Which limit cut it.",
        background: "As it was asked.",
        instructions: "As they were sent.",
        max_output_tokens: "As it was sent.",
        metadata: "As they were sent.",
        model: "As it was sent.",
        previous_response_id: "As it was sent.",
        temperature: "As it was sent.",
        output: "The answer, once it is whole.",
        usage: "Counted from the text: a lower bound. Answers are charged, not tokens.",
        access_programs: "There are none.",
        parallel_tool_calls: "No tool is called.",
        store: "What is kept is the deployment's choice.",
        text: "Answers are text.",
        tool_choice: "No tool is called.",
        tools: "There are none.",
        top_p: "Not supported.",
        truncation: "Not supported.",
        belay: "What the form has no place for.",
      }),
      ResponseEvent: {
        schema: event,
        about:
          "The JSON after `data: ` of one event, whose `event: ` is its `type`. Numbers have no gaps, and are the same at every replay. The last event of a whole answer is `response.completed` or `response.incomplete`, of any other `error`.",
      },
    },
    operations: [
      {
        route: "POST /v1/responses",
        id: "createResponse",
        startsSession: true,
        summary: "Ask a question in the form of OpenAI's Responses",
        about: "Charged, refunded and limited as any other ask.",
        callers: "readers",
        parameters: [idempotencyKey],
        body: {
          shape: "ResponseBody",
          examples: {
            whole: { model: "belay", input: "When am I charged?" },
            stream: {
              model: "belay",
              instructions: "Answer in one sentence.",
              input: [
                { role: "user", content: "When am I charged?" },
                { role: "assistant", content: "Once the answer has arrived whole." },
                { role: "user", content: [{ type: "input_text", text: "And if I leave?" }] },
              ],
              stream: true,
              belay: { onDisconnect: "wait" },
            },
            background: { model: "belay", input: "What do I pay?", background: true },
          },
        },
        replies: {
          200: {
            about: "The response. With `background` and without `stream`, it is not whole yet.",
            headers: [...ANSWER_HEADERS, "Set-Cookie"],
            json: "Response",
            events: "ResponseEvent",
          },
          204: askedTooOften,
        },
        errors: ASK_ERRORS,
      },
      {
        route: "GET /v1/responses/:id",
        id: "getResponse",
        summary: "A response as it is now, or its events",
        about: "With `stream=true` the events come from storage, or live. Free.",
        callers: "readers",
        parameters: [
          responseId,
          {
            name: "stream",
            in: "query",
            about: "Whether the events come.",
            schema: { type: "boolean", default: false },
            example: true,
          },
          {
            name: "starting_after",
            in: "query",
            about: "The `sequence_number` of the last event that you have.",
            schema: { type: "integer", minimum: 0 },
            example: 12,
          },
        ],
        replies: {
          200: {
            about: "The response, or its events.",
            headers: ANSWER_HEADERS,
            json: "Response",
            events: "ResponseEvent",
          },
        },
        errors: ["NOT_FOUND", "NOT_KEPT", "TOO_MANY_STREAMS"],
      },
      {
        route: "POST /v1/responses/:id/cancel",
        id: "cancelResponse",
        summary: "Stop an answer that is being written",
        about: "A response that is whole is returned as it is.",
        callers: "readers",
        parameters: [responseId],
        replies: { 200: { about: "The response.", json: "Response" } },
        errors: ["NOT_FOUND", "NOT_KEPT"],
      },
    ],
  };
}
