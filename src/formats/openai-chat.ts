// OpenAI's Chat Completions: the body of an ask, and its answer in chunks or
// in one object. The form is that of the `openai` package. The member `belay`
// has what the form has no place for. `[DONE]` is our own event `done`.

import * as v from "valibot";
import { type Ask, encodeJson, MAX_TOKENS, type Source } from "../protocol.ts";
import { check } from "../request.ts";
import { countTokens } from "../text/token-count.ts";
import { annotationsOf } from "./annotations.ts";
import { conversation, MAX_TOKENS_FIELD, OPTIONS, TEMPERATURE_FIELD } from "./conversation.ts";
import { EVENTS } from "./events.ts";
import type { AnswerHead, Format, WholeAnswer } from "./format.ts";
import { bodyFormat } from "./json.ts";
import { collectionsOf } from "./models.ts";
import { openAiError } from "./openai-error.ts";
import { CONTENT, messageOf, ROLE } from "./openai-messages.ts";
import type { Asked, Surface } from "./surface.ts";

/** Ignored with one of these values, and else refused. */
function only<const T>(rule: string, ...allowed: readonly T[]) {
  const isAllowed = v.custom<T>((value) => allowed.some((one) => one === value), rule);
  return v.optional(
    v.pipe(isAllowed, v.metadata<T, { readonly enum: readonly T[] }>({ enum: allowed })),
  );
}

const EMPTY_LIST = v.nullish(v.pipe(v.array(v.unknown()), v.maxLength(0, "is not supported here")));

/** Other members change nothing, and are ignored. */
export const BODY = v.object({
  model: v.string(),
  messages: v.pipe(
    v.array(
      v.object({
        role: ROLE,
        content: v.nullish(CONTENT, ""),
      }),
    ),
    v.minLength(1, "must have at least one message"),
  ),
  stream: v.nullish(v.boolean(), false),
  stream_options: v.nullish(v.object({ include_usage: v.nullish(v.boolean(), false) }), {}),
  max_tokens: MAX_TOKENS_FIELD,
  max_completion_tokens: MAX_TOKENS_FIELD,
  temperature: TEMPERATURE_FIELD,
  belay: v.nullish(v.strictObject(OPTIONS), {}),
  n: only("must be 1: there is one answer", 1, null),
  stop: v.nullish(v.union([EMPTY_LIST, v.literal("")], "is not supported here")),
  tools: v.nullish(v.array(v.unknown())),
  tool_choice: only("must be none or auto: no tool is called here", "none", "auto", null),
  function_call: only("must be none or auto: no function is called here", "none", "auto", null),
  response_format: v.nullish(
    v.object({ type: v.literal("text", "must be text: answers have no other form") }),
  ),
  logprobs: only("must be false: there are none", false, null),
  modalities: v.nullish(v.array(v.literal("text", "must be text"))),
  audio: only("must be left out: answers are text", null),
});

type Body = v.InferOutput<typeof BODY>;

export const CHAT_COMPLETIONS: Surface = { read };

function read(body: unknown, readable: readonly string[]): Asked {
  const checked = check(BODY, body);
  const { stream, stream_options, model } = checked;
  return {
    ask: askOf(checked, readable),
    format: stream ? chunks(model, stream_options.include_usage) : completion(model),
  };
}

function askOf({ messages, belay, temperature, ...body }: Body, readable: readonly string[]): Ask {
  return {
    collections: collectionsOf(body.model, belay.collections, readable),
    ...conversation(messages.map(messageOf), "messages"),
    topK: belay.topK,
    onDisconnect: belay.onDisconnect ?? "cancel",
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? MAX_TOKENS.byDefault,
    temperature,
  };
}

/** No id and no model has this character. */
const TOKEN = "\u0000";

/** The answer in a stream of chunks. */
function chunks(model: string, includeUsage: boolean): Format {
  const chunk = (head: AnswerHead, choices: readonly unknown[], belay?: unknown, usage?: unknown) =>
    `data: ${encodeJson({
      id: head.queryId,
      object: "chat.completion.chunk",
      created: Math.floor(head.askedAt / 1_000),
      model,
      choices,
      ...(includeUsage && { usage: usage ?? null }),
      ...(belay !== undefined && { belay }),
    })}\n\n`;
  const delta = (delta: object, finish: string | null = null) => [
    { index: 0, delta, logprobs: null, finish_reason: finish },
  ];
  // The chunks of two tokens differ in the token alone.
  let around: readonly string[] | undefined;
  const tokenChunk = (head: AnswerHead, token: string) => {
    around ??= chunk(head, delta({ content: TOKEN })).split(encodeJson(TOKEN));
    return around.join(encodeJson(token));
  };
  return {
    streams: true,
    headers: EVENTS.headers,
    opening: (head, quotaRemaining) =>
      chunk(head, delta({ role: "assistant", content: "" }), {
        queryId: head.queryId,
        quotaRemaining,
      }),
    event: (event, _number, head) =>
      event.type === "sources"
        ? chunk(head, delta({}), { sources: event.sources })
        : tokenChunk(head, event.token),
    heartbeat: (head) => chunk(head, delta({})),
    closing: (answer) => {
      const annotations = annotationsIn(answer);
      const last = annotations.length === 0 ? {} : { annotations };
      const usage = includeUsage ? chunk(answer, [], undefined, usageOf(answer)) : "";
      const end = chunk(answer, delta(last, answer.finish), belayOf(answer));
      return `${end}${usage}data: [DONE]\n\n`;
    },
    error: (error) => `data: ${encodeJson(openAiError(error))}\n\n`,
  };
}

/** The answer in one object. */
function completion(model: string): Format {
  return bodyFormat(
    (answer) =>
      encodeJson({
        id: answer.queryId,
        object: "chat.completion",
        created: Math.floor(answer.askedAt / 1_000),
        model,
        choices: [
          {
            index: 0,
            message: {
              role: "assistant",
              content: answer.tokens.join(""),
              refusal: null,
              annotations: annotationsIn(answer),
            },
            logprobs: null,
            finish_reason: answer.finish,
          },
        ],
        usage: usageOf(answer),
        belay: belayOf(answer),
      }),
    (error) => encodeJson(openAiError(error)),
  );
}

function annotationsIn(answer: WholeAnswer) {
  return annotationsOf(answer).map(({ start, end, title, url }) => ({
    type: "url_citation",
    url_citation: { start_index: start, end_index: end, title, url },
  }));
}

/** The prompt is Belay's own, and its tokens are not counted. */
function usageOf({ tokens }: WholeAnswer) {
  const count = countTokens(tokens);
  return { prompt_tokens: 0, completion_tokens: count, total_tokens: count };
}

function belayOf({ queryId, sources, found, quotaRemaining }: WholeAnswer): {
  queryId: string;
  sources: readonly Source[];
  found: boolean;
  quotaRemaining: number;
} {
  return { queryId, sources, found, quotaRemaining };
}
