// The readers of an answer's Markdown and citations, and the client's
// reader of event streams, take linear time.

import { describe, expect, it } from "vitest";
import { withCitations } from "../../src/answer/citations.ts";
import { readEvents } from "../../src/client/events.ts";
import type { Source } from "../../src/protocol.ts";
import { citedNumbers, withoutMarks } from "../../src/text/citation-marks.ts";
import { MarkdownBlocks } from "../../src/text/markdown-blocks.ts";
import { inlinesOf } from "../../src/text/markdown-inlines.ts";
import { asIfWhole, isUndecided } from "../../src/web/unfinished.ts";
import {
  between,
  cpuMs,
  EXPONENT_MAX,
  growth,
  readingMs,
  repeated,
  type Shape,
} from "../support/growth.ts";
import { ANSWERS } from "../support/hostile-answers.ts";

/** The longest answer. A linear reader takes little more than for prose. */
const ANSWER = { from: 32_768, to: 262_144, msMax: 1_500 };
/** Longer than any event of Belay. */
const STREAM = { from: 65_536, to: 524_288 };
/** More than the longest paragraph of markdown-blocks.ts. */
const PARAGRAPH = 10_000;

const SOURCES: readonly Source[] = [1, 2].map((n) => ({
  ...{ n, id: `doc#${n}`, documentId: "doc", title: "Quota", heading: [], url: null },
  ...{ snippet: "", score: 1 },
}));

/** Reads longer and longer answers of one shape. */
async function expectLinear(read: (text: string) => unknown, shape: Shape): Promise<void> {
  const measured = await growth((length) => cpuMs(() => read(shape(length))), ANSWER);
  expect(measured.exponent).toBeLessThan(EXPONENT_MAX);
  expect(measured.ms).toBeLessThan(measured.msMax);
}

it.each(Object.entries(ANSWERS))(
  "citations in an answer of %s are found in linear time",
  async (_, shape) => {
    // The mark makes sure that the text is read.
    const read = (text: string) => withCitations(SOURCES, `${text}\n\nOnce [1].`);
    await expectLinear(read, shape);
  },
);

it.each(Object.entries(ANSWERS))(
  "blocks of an answer of %s are read by the token in linear time",
  async (_, shape) => {
    const read = (text: string) => {
      const blocks = new MarkdownBlocks();
      for (let at = 0; at < text.length; at += 7) blocks.write(text.slice(at, at + 7));
      blocks.end();
    };
    await expectLinear(read, shape);
  },
);

it.each(Object.entries(ANSWERS))(
  "inlines of an answer of %s are read in linear time",
  async (_, shape) => {
    const read = (text: string) => {
      for (let at = 0; at < text.length; at += PARAGRAPH) {
        const paragraph = text.slice(at, at + PARAGRAPH);
        inlinesOf(paragraph);
        inlinesOf(asIfWhole(paragraph), { unfinished: true });
        isUndecided(paragraph);
      }
    };
    await expectLinear(read, shape);
  },
);

const MARKS: Readonly<Record<string, Shape>> = {
  "open brackets": repeated("["),
  "numbers without an end": repeated("[1,"),
  "one list of numbers without an end": between("[", "1,", ""),
  "brackets and blanks": repeated("[1  "),
  citations: repeated("[1]"),
  "lenticular brackets": repeated("【1†"),
  "one lenticular bracket": between("【1†", "x", ""),
};

it.each(Object.entries(MARKS))("marks are taken out of %s in linear time", async (_, shape) => {
  const read = (text: string) => [citedNumbers(text), withoutMarks(text, () => true)];
  await expectLinear(read, shape);
});

const event = (token: string) => `data: ${JSON.stringify({ type: "token", token })}\n\n`;
const STREAMS: Readonly<Record<string, Shape>> = {
  tokens: repeated(event("word ")),
  "empty tokens": repeated(event("")),
  "one event": (length) => event("x".repeat(length)),
  "one event of quotes": (length) => event('"'.repeat(length)),
  "one event of controls": (length) => event("\u0001".repeat(length / 6)),
  "one event of emoji": (length) => event("👩‍👩‍👧".repeat(length / 8)),
  "a line without an end": between("data: ", "x", ""),
  "an event of many lines": between("", "data: 1\n", ""),
  comments: repeated(": x\n"),
  "empty lines": repeated("\n"),
  "carriage returns": repeated("\r"),
  "fields without a name": repeated("x"),
  "fields that are not known": repeated("field: x\n"),
  colons: repeated(":"),
  "byte order marks": repeated("\uFEFF"),
};

describe.each([
  ["packets of 4 KiB", 4_096],
  ["packets of 61 bytes", 61],
])("events in %s are read in linear time:", (_packets, size) => {
  it.each(Object.entries(STREAMS))("%s", async (_, shape) => {
    const { exponent, length, ms } = await growth((length) => {
      const bytes = new TextEncoder().encode(shape(length));
      return readingMs(() => read(bytes, size));
    }, STREAM);
    expect(exponent, `${ms} ms for ${length}`).toBeLessThan(EXPONENT_MAX);
  });
});

/** Reads a response, valid or not. */
async function read(bytes: Uint8Array, size: number): Promise<void> {
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at + size));
      at += size;
    },
  });
  const { signal } = new AbortController();
  await readEvents(
    body,
    signal,
    () => {},
    () => {},
  ).catch(() => {});
}
