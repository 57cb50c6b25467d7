// OpenAI's Chat Completions, as far as Belay has them.

import * as v from "valibot";
import { BODY } from "../formats/openai-chat.ts";
import * as bodies from "./bodies.ts";
import { ANSWER_HEADERS } from "./headers.ts";
import { type Part, shape } from "./operation.ts";
import { askedTooOften, idempotencyKey } from "./readers.ts";
import { ASK_ERRORS } from "./refusals.ts";

const { count } = bodies;
const finish = v.nullable(bodies.finish);

const annotations = v.array(
  v.object({
    type: v.literal("url_citation"),
    url_citation: v.object({
      start_index: count,
      end_index: count,
      title: v.string(),
      url: v.string(),
    }),
  }),
);

const usage = v.object({ prompt_tokens: count, completion_tokens: count, total_tokens: count });

const { type: _, message: __, ...belayError } = bodies.error.entries;

/** The form of OpenAI's errors, on all of its surfaces. */
const openAiError = v.object({
  error: v.object({
    message: v.string(),
    type: v.picklist([
      "invalid_request_error",
      "authentication_error",
      "permission_error",
      "insufficient_quota",
      "rate_limit_error",
      "server_error",
    ]),
    param: v.nullable(v.string()),
    code: v.string(),
    belay: v.object(belayError),
  }),
});

const head = {
  id: v.string(),
  created: count,
  model: v.string(),
};

const completion = v.object({
  ...head,
  object: v.literal("chat.completion"),
  choices: v.array(
    v.object({
      index: v.literal(0),
      message: v.object({
        role: v.literal("assistant"),
        content: v.string(),
        refusal: v.null(),
        annotations,
      }),
      logprobs: v.null(),
      finish_reason: finish,
    }),
  ),
  usage,
  belay: v.object({
    queryId: v.string(),
    sources: v.array(bodies.source),
    found: v.boolean(),
    quotaRemaining: count,
  }),
});

const chunk = v.object({
  ...head,
  object: v.literal("chat.completion.chunk"),
  choices: v.array(
    v.object({
      index: v.literal(0),
      delta: v.object({
        role: v.exactOptional(v.literal("assistant")),
        content: v.exactOptional(v.string()),
        annotations: v.exactOptional(annotations),
      }),
      logprobs: v.null(),
      finish_reason: finish,
    }),
  ),
  usage: v.exactOptional(v.nullable(usage)),
  belay: v.exactOptional(
    v.object({
      queryId: v.exactOptional(v.string()),
      quotaRemaining: v.exactOptional(count),
      sources: v.exactOptional(v.array(bodies.source)),
      found: v.exactOptional(v.boolean()),
    }),
  ),
});

const event = v.union([chunk, openAiError]);

const model = v.object({
  id: v.string(),
  object: v.literal("model"),
  created: count,
  owned_by: v.string(),
});
const models = v.object({ object: v.literal("list"), data: v.array(model) });

const HEAD = {
  id: "The query's id.",
  created: "When it was asked, in seconds since the epoch.",
  model: "The model that was asked for.",
};

export function openAiChat(): Part {
  return {
    tag: "OpenAI Chat Completions",
    about: "For clients of OpenAI's API. The API key is a user's bearer token.",
    refusal: "OpenAiError",
    shapes: {
      ChatCompletionBody: shape(BODY, "A question. Members that are not here are ignored.", {
        model: "`belay`, or `belay/default`.",
        messages:
          "The last one, of the user, is the question; those before it are the history. Those of `system` and `developer` are instructions to the model.",
        stream: "Whether the answer comes as chunks.",
        stream_options: "`include_usage` adds a chunk with the usage.",
        max_tokens: "As `max_completion_tokens`.",
        max_completion_tokens: "The longest answer, in tokens.",
        temperature: "By default the model's own.",
        belay: "Our own options, as in `AskBody`.",
        n: "There is one answer.",
        stop: "Not supported.",
        tools: "No tool is called.",
        tool_choice: "No tool is called.",
        function_call: "No function is called.",
        response_format: "Answers are text.",
        logprobs: "There are none.",
        modalities: "Answers are text.",
        audio: "Answers are text.",
      }),
      ChatCompletion: shape(completion, "A whole answer.", {
        ...HEAD,
        object: "What it is.",
        choices: "One answer.",
        usage: "Counted from the text: a lower bound. Answers are charged, not tokens.",
        belay: "What the form has no place for.",
      }),
      ChatCompletionChunk: shape(chunk, "A piece of an answer.", {
        ...HEAD,
        object: "What it is.",
        choices: "An empty `delta` shows that the connection is open.",
        usage: "If `include_usage` was sent; in the last chunk it is not `null`.",
        belay: "What the form has no place for: ids first, then sources, and all at the end.",
      }),
      ChatCompletionEvent: {
        schema: event,
        about:
          "The JSON after `data: ` of one event. `data: [DONE]` ends a whole answer; an error is the last event of one that failed.",
      },
      OpenAiError: shape(openAiError, "A refusal in the form of OpenAI's API.", {
        error: "What went wrong; `belay` has our own code, and the quota where it is known.",
      }),
      Model: shape(model, "A model that can be asked.", {
        id: "Its name.",
        object: "What it is.",
        created: "Always 0.",
        owned_by: "Always `belay`.",
      }),
      ModelList: shape(models, "All models.", { object: "What it is.", data: "The models." }),
    },
    operations: [
      {
        route: "POST /v1/chat/completions",
        id: "createChatCompletion",
        startsSession: true,
        summary: "Ask a question in the form of OpenAI's Chat Completions",
        about: "Charged, refunded and limited as any other ask.",
        callers: "readers",
        parameters: [idempotencyKey],
        body: {
          shape: "ChatCompletionBody",
          examples: {
            whole: {
              model: "belay",
              messages: [{ role: "user", content: "When am I charged?" }],
            },
            stream: {
              model: "belay",
              messages: [
                { role: "system", content: "Answer in one sentence." },
                { role: "user", content: "When am I charged?" },
                { role: "assistant", content: "Once the answer has arrived whole." },
                { role: "user", content: [{ type: "text", text: "And if I disconnect?" }] },
              ],
              stream: true,
              stream_options: { include_usage: true },
              max_completion_tokens: 512,
            },
          },
        },
        replies: {
          200: {
            about: "The answer.",
            headers: [...ANSWER_HEADERS, "Set-Cookie"],
            json: "ChatCompletion",
            events: "ChatCompletionEvent",
          },
          204: askedTooOften,
        },
        errors: ASK_ERRORS,
      },
      {
        route: "GET /v1/models",
        id: "listModels",
        summary: "The models that can be asked",
        callers: "readers",
        replies: { 200: { about: "The models.", json: "ModelList" } },
      },
      {
        route: "GET /v1/models/:id",
        id: "getModel",
        summary: "One model",
        callers: "readers",
        parameters: [
          {
            name: "id",
            in: "path",
            about: "Its name; a `/` in it is written `%2F`.",
            schema: { type: "string" },
            example: "belay",
          },
        ],
        replies: { 200: { about: "The model.", json: "Model" } },
        errors: ["NOT_FOUND"],
      },
    ],
  };
}
