// The reader of a model's stream over hostile shapes: its time is
// linear in the stream, and the memory that it holds is bounded.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { Completion } from "../../src/generators/completion.ts";
import { frame, piece } from "../support/directive.ts";
import {
  EXPONENT_MAX,
  growth,
  readingMs,
  repeated,
  type Shape,
  timeBelow,
} from "../support/growth.ts";

const BOUNDS = { from: 65_536, to: 524_288, msMax: 3_000 };
/** CPU time for the longest event. */
const EVENT_MS_MAX = 500;
/** The sizes in which a connection cuts a stream. */
const READ_LENGTH = 4_096;
/** MB of heap for a stream of short events: kilobytes, and noise. */
const HELD_MB_MAX = 1;
const LONG_MB = 16;

/** One event with a text of this length. */
const inOne =
  (text: string): Shape =>
  (length) =>
    piece(repeated(text)(length));
/** The text in pieces, one event each. */
const inMany = (text: string): Shape => repeated(piece(text));

const SHAPES: readonly (readonly [string, Shape])[] = [
  ["one huge event", inOne("word ")],
  ["one huge line that is no event", repeated("<p>")],
  ["one huge comment", (length) => `:${repeated(" alive")(length)}`],
  ["tiny events", repeated("data:1\n\n")],
  ["tiny pieces", inMany("a")],
  ["comments", repeated(":\n\n")],
  ["empty lines", repeated("\n")],
  ["empty lines of CR", repeated("\r")],
  ["data in many lines of one event", repeated("data: a\n")],
  ["halves of an opening tag", inMany("<thin")],
  ["halves of an opening tag in one event", inOne("<thin")],
  ["opening tags", inMany("<think>")],
  ["opening tags in one event", inOne("<think>")],
  ["opening tags with attributes", inOne("<think a b c")],
  ["thoughts that end", inMany("<think>a</think>")],
  ["closing tags", inMany("</think>")],
  ["closing tags in one event", inOne("a</think>")],
  ["harmony's tokens", inMany("<|channel|>analysis<|message|>a<|end|>")],
  ["harmony's tokens in one event", inOne("<|channel|>final<|message|>a")],
  ["a header that does not end", inMany("<|start|>a")],
  ["ends of turns", inOne("</s> ")],
  ["brackets", inOne("[")],
  ["less-than signs", inOne("<")],
  ["backticks", inOne("`")],
  ["backticks, one a piece", inMany("`")],
  ["code spans with tags", inOne("`<think>")],
  ["code spans of growing length", (length) => piece(spans(length))],
  ["fences", inOne("```\n<think>\n")],
  ["a thought that no tag opened", inMany("Okay, the user asks. ")],
  ["white space", inMany(" ")],
  ["white space in one event", inOne(" \n")],
  ["invisible characters", inMany("\u200b\u0000")],
  ["halves of characters", inMany("\ud83d")],
  ["halves of characters in one event", inOne("\ud83d")],
  ["what looks like an end marker", repeated("data: [DONE\n\n")],
  ["what looks like an end marker, bare", inMany("[DONE]")],
  ["lists of parts", (length) => piece(Array(length >> 5).fill({ type: "text", text: "a" }))],
  ["parts in parts", (length) => piece(nestedParts(length))],
  ["finish reasons", repeated(frame({ choices: [{ delta: {}, finish_reason: "stop" }] }))],
  ["messages that repeat all", (length) => messages(length)],
];

describe("a stream is read in linear time:", () => {
  it.each(SHAPES)("%s", async (_, shape) => {
    const { exponent, ms, msMax, length } = await growth((size) => {
      const text = shape(size);
      return readingMs(() => read(text));
    }, BOUNDS);
    expect(exponent, `${ms} ms for ${length}`).toBeLessThan(EXPONENT_MAX);
    expect(ms).toBeLessThan(msMax);
  });
});

/**
 * The growth of JSON.parse with depth is V8's: only the longest event
 * counts.
 */
describe("the longest event is read at once:", () => {
  it.each<[string, Shape]>([
    ["nested lists", (length) => frame("[".repeat(length))],
    ["nested lists that end", (length) => frame("[".repeat(length / 2) + "]".repeat(length / 2))],
    ["nested objects", (length) => frame(repeated('{"a":')(length))],
    ["one object instead of events", repeated('{"a":')],
  ])("%s", async (_, shape) => {
    const text = shape(4_190_000);
    const cost = () => readingMs(() => read(text));
    const { ms, msMax } = await timeBelow(EVENT_MS_MAX, await cost(), cost);
    expect(ms).toBeLessThan(msMax);
  });
});

describe("memory is bounded for a stream of", () => {
  it.each([
    ["white space before the answer", " \n", ""],
    ["invisible characters before the answer", "\u200b", ""],
    ["an open thought", "Hm. ", "<think>"],
    ["an open thought with halves of tags", "</thin <", "<think>"],
    ["a thought that no tag opened", "the user asks ", "Okay, "],
    ["harmony's thoughts", "Hm. ", "<|channel|>analysis<|message|>"],
    ["a header that does not end", "a ", "<|channel|>"],
    ["text", "word ", "The "],
    ["text that repeats a half tag", "<thin", "The "],
    ["a code span that does not end", "a <think ", "`"],
    ["blanks after an end of turn", " ", "The </s>"],
  ])("%s", (_, text, before) => {
    const completion = new Completion();
    completion.feed(piece(before));
    const events = piece(text).repeat(64);
    const held = heldMb(() => {
      for (let fed = 0; fed < LONG_MB * 1e6; fed += events.length) {
        completion.feed(events);
        completion.take();
      }
    });
    expect(completion.ended).toBe(false);
    expect(held).toBeLessThan(HELD_MB_MAX);
  });

  it.each([
    ["comments", ": alive\n\n"],
    ["one comment", "alive "],
    ["fields that are not known", "unknown: field\n"],
    ["thoughts apart from the text", frame({ choices: [{ delta: { reasoning: "Hm. " } }] })],
  ])("%s", (what, text) => {
    const completion = new Completion();
    completion.feed(what === "one comment" ? ":" : "\n: a stream\n\n");
    const held = heldMb(() => {
      for (let fed = 0; fed < LONG_MB * 1e6; fed += text.length * 64) {
        completion.feed(text.repeat(64));
      }
    });
    expect(held).toBeLessThan(HELD_MB_MAX);
  });
});

/** Reads a stream in the pieces of a connection. */
function read(text: string): void {
  const completion = new Completion();
  for (let at = 0; at < text.length && !completion.ended; at += READ_LENGTH) {
    completion.feed(text.slice(at, at + READ_LENGTH));
    completion.take();
  }
  completion.end();
  completion.take();
  completion.outcome();
}

/** Growth of the heap by a call, in MB, after a garbage collection. */
function heldMb(call: () => void): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  call();
  collect();
  return (process.memoryUsage().heapUsed - before) / 1e6;
}

/** Each run has one backtick more than the last, so that none ends another. */
function spans(length: number): string {
  let text = "";
  for (let ticks = 1; text.length < length; ticks += 1) text += `${"`".repeat(ticks % 500)}<think>`;
  return text;
}

function nestedParts(length: number): unknown {
  let part: unknown = "a";
  for (let depth = 0; depth < Math.min(length >> 4, 2_000); depth += 1) part = [part];
  return part;
}

function messages(length: number): string {
  const said = "word ".repeat(200);
  const message = frame({ choices: [{ message: { content: said } }] });
  return piece(said) + repeated(message)(length);
}
