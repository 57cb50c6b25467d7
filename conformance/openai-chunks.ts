// The shapes of OpenAI's Chat Completions, written from OpenAI's own reference,
// and the checks of a stream of them.

import * as v from "valibot";
import { expect, expectSame } from "./expectation.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const id = v.pipe(v.string(), v.nonEmpty());
const finish = v.picklist(["stop", "length"]);

const Usage = v.looseObject({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
});

const Annotation = v.strictObject({
  type: v.literal("url_citation"),
  url_citation: v.strictObject({
    url: v.string(),
    title: v.string(),
    start_index: count,
    end_index: count,
  }),
});

/** What we add: with it, an answer has all that our own events have. */
const Belay = v.looseObject({
  queryId: v.string(),
  quotaRemaining: count,
});

export const Chunk = v.strictObject({
  id,
  object: v.literal("chat.completion.chunk"),
  created: count,
  model: v.string(),
  choices: v.array(
    v.looseObject({
      index: v.literal(0),
      delta: v.strictObject({
        role: v.optional(v.literal("assistant")),
        content: v.optional(v.string()),
        refusal: v.optional(v.null()),
        annotations: v.optional(v.array(Annotation)),
      }),
      finish_reason: v.nullable(finish),
    }),
  ),
  usage: v.optional(v.nullable(Usage)),
  belay: v.optional(v.looseObject({})),
});
export type Chunk = v.InferOutput<typeof Chunk>;

export const Completion = v.looseObject({
  id,
  object: v.literal("chat.completion"),
  created: count,
  model: v.string(),
  choices: v.tuple([
    v.looseObject({
      index: v.literal(0),
      message: v.looseObject({
        role: v.literal("assistant"),
        content: v.string(),
        refusal: v.null(),
        annotations: v.array(Annotation),
      }),
      finish_reason: finish,
    }),
  ]),
  usage: Usage,
  belay: Belay,
});

export const OpenAIError = v.looseObject({
  error: v.looseObject({
    message: v.pipe(v.string(), v.nonEmpty()),
    type: v.string(),
    param: v.nullable(v.string()),
    code: v.nullable(v.string()),
  }),
});

/** The text of the chunks, after checking their order. */
export function expectChunks(chunks: readonly Chunk[]): string {
  const choices = chunks.map((chunk) => chunk.choices[0]);
  const [first, last] = [choices.at(0), choices.at(-1)];
  expectSame(first?.delta.role, "assistant", "the role of the first chunk");
  expect(last?.finish_reason, "the last chunk has no finish_reason");
  const reasons = choices.filter((choice) => choice?.finish_reason).length;
  expectSame(reasons, 1, "the number of chunks with a finish_reason");
  for (const name of ["id", "created", "model"] as const) {
    const values = new Set(chunks.map((chunk) => chunk[name]));
    expectSame(values.size, 1, `the number of different ${name} in a stream`);
  }
  return choices.map((choice) => choice?.delta.content ?? "").join("");
}
