// The completion: text in, pieces out. Odd forms that no endpoint sends
// on purpose. Conversations over a connection are in openai.test.ts.

import { expect, test } from "vitest";
import { Completion } from "../../src/generators/completion.ts";

const TOKEN = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n';
const DONE = "data: [DONE]\n\n";

test.each([
  ["an event with no data", "data:\n\n"],
  ["an event of another name", 'event: ping\ndata: {"type":"ping"}\n\n'],
  ["no choices", 'data: {"choices":[]}\n\n'],
  ["choices that are null", 'data: {"choices":null}\n\n'],
  ["a choice that is null", 'data: {"choices":[null]}\n\n'],
  ["choices of another type", 'data: {"choices":7}\n\n'],
  ["a delta that is null", 'data: {"choices":[{"delta":null}]}\n\n'],
  ["content that is null", 'data: {"choices":[{"delta":{"content":null}}]}\n\n'],
  ["an error that is null", 'data: {"error":null,"choices":[]}\n\n'],
  ["an empty finish reason", 'data: {"choices":[{"delta":{},"finish_reason":""}]}\n\n'],
  ["a list where there should be an object", "data: []\n\n"],
  ["blank lines", "\n\r\n\n"],
])("a completion ignores %s", (_, oddity) => {
  const expected = { pieces: ["a", "a"], outcome: { finish: "stop" } };
  expect(read(oddity + TOKEN + oddity + TOKEN + oddity + DONE)).toEqual(expected);
});

test.each([
  ["a number", "data: 7\n\n"],
  ["null", "data: null\n\n"],
  ["a string", 'data: "error"\n\n'],
  ["words", "data: Internal Server Error\n\n"],
  ["an event named as an error", "event: error\ndata: {}\n\n"],
  ["an error that is a string", 'data: {"error":"overloaded"}\n\n'],
  ["content of another type", 'data: {"choices":[{"delta":{"content":{"a":1}}}]}\n\n'],
  ["choices that may hold text", 'data: {"choices":{"0":{"delta":{"content":"b"}}}}\n\n'],
  ["an unknown object", 'data: {"candidates":[]}\n\n'],
])("a completion fails at %s, even if an end marker follows", (_, oddity) => {
  expect(read(TOKEN + oddity + TOKEN + DONE)).toEqual({
    pieces: ["a"],
    outcome: {
      ...{ failure: expect.any(String), detail: expect.any(String) },
      diagnosis: expect.any(String),
    },
  });
});

test("an end marker may have spaces around it", () => {
  expect(read(`${TOKEN}data:  [DONE] \n\n`).outcome).toEqual({ finish: "stop" });
});

test("text after an end marker is not read, even in the same chunk", () => {
  expect(read(TOKEN + DONE + TOKEN)).toEqual({ pieces: ["a"], outcome: { finish: "stop" } });
});

test("text after a finish reason still belongs to the answer", () => {
  const finish = 'data: {"choices":[{"delta":{},"finish_reason":"length"}]}\n\n';
  expect(read(finish + TOKEN + DONE)).toEqual({ pieces: ["a"], outcome: { finish: "length" } });
});

test("a JSON object may follow blank lines, in pieces, and lack a finish reason", () => {
  const answer = { pieces: ["a"], outcome: { finish: "stop" } };
  expect(read("\n \n", ' {"choices":[{"message":', '{"content":"a"}}]}\n')).toEqual(answer);
});

test("an endless line that is no field is not kept in memory", () => {
  const completion = new Completion();
  for (let n = 0; n < 2_000; n += 1) completion.feed("<p>".repeat(1_000));
  completion.feed(`\n\n${TOKEN}${DONE}`);
  expect(completion.take()).toEqual(["a"]);
  // The line may have held text, so the answer may have a hole.
  expect(completion.outcome()).toHaveProperty("failure");
});

test("half of a character is not shown if its other half never comes", () => {
  const half = 'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n';
  expect(read(TOKEN + half + DONE).pieces).toEqual(["a"]);
});

function read(...chunks: string[]) {
  const completion = new Completion();
  const pieces: string[] = [];
  for (const chunk of chunks) {
    completion.feed(chunk);
    pieces.push(...completion.take());
  }
  completion.end();
  pieces.push(...completion.take());
  return { pieces, outcome: completion.outcome() };
}
