// How an answer is written for the AI SDK. That its own packages read it is
// in test/packages/ui-message.test.ts.

import { describe, expect, it } from "vitest";
import { ServiceError } from "../../src/errors.ts";
import type { WholeAnswer } from "../../src/formats/format.ts";
import { UI_MESSAGE, UI_MESSAGE_REFUSAL } from "../../src/formats/ui-message.ts";
import type { Source } from "../../src/protocol.ts";

const HEAD = { queryId: "1-abc", askedAt: 1_800_000_000_000 };

const PLACE = { head: HEAD, number: 4 };

function source(n: number, members: Partial<Source> = {}): Source {
  return {
    n,
    id: `hours#${n}`,
    documentId: "hours",
    title: "Opening hours",
    heading: ["Weekdays"],
    url: null,
    snippet: "We open at 9.",
    score: 1,
    ...members,
  };
}

function whole(members: Partial<WholeAnswer> = {}): WholeAnswer {
  return {
    ...HEAD,
    tokens: ["At ", "9 [1]."],
    sources: [source(1, { cited: true })],
    finish: "stop",
    found: true,
    quotaRemaining: 19,
    ...members,
  };
}

/** The chunks of a text. Throws on anything that is not one line of data. */
function chunksIn(text: string): unknown[] {
  return text
    .split("\n\n")
    .slice(0, -1)
    .map((frame) => {
      if (!/^data: [^\r\n]*$/.test(frame)) throw new Error(`Not a chunk: ${frame}`);
      const data = frame.slice("data: ".length);
      return data === "[DONE]" ? data : JSON.parse(data);
    });
}

describe("a UI message stream", () => {
  it("says in its headers that it is one, and that nothing may hold it back", () => {
    expect(UI_MESSAGE.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "x-vercel-ai-ui-message-stream": "v1",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    });
  });

  it("begins with a message that has the query's id", () => {
    expect(chunksIn(UI_MESSAGE.opening(HEAD, 19))).toEqual([
      {
        type: "start",
        messageId: "1-abc",
        messageMetadata: { queryId: "1-abc", quotaRemaining: 19 },
      },
    ]);
  });

  it("writes the sources into the metadata, and then one text", () => {
    const sources = [source(1)];
    const text = [
      UI_MESSAGE.event({ type: "sources", sources }, 2, HEAD),
      UI_MESSAGE.event({ type: "token", token: 'At\n"9"\u2028' }, 3, HEAD),
      UI_MESSAGE.event({ type: "token", token: "." }, 4, HEAD),
    ].join("");
    expect(chunksIn(text)).toEqual([
      { type: "message-metadata", messageMetadata: { sources } },
      { type: "text-start", id: "answer" },
      { type: "text-delta", id: "answer", delta: 'At\n"9"\u2028' },
      { type: "text-delta", id: "answer", delta: "." },
    ]);
    expect(text).not.toContain("\u2028");
  });

  it("writes the same bytes for the same event, whatever its number", () => {
    const event = { type: "token", token: "At " } as const;
    expect(UI_MESSAGE.event(event, 3, HEAD)).toBe(UI_MESSAGE.event(event, 9, HEAD));
  });

  it("ends with sources as parts, the outcome as metadata, and [DONE]", () => {
    const sources = [
      source(1, { cited: true }),
      source(2, { url: "https://example.com/hours", title: "Hours", cited: false }),
      source(3, { url: "/docs/hours", cited: true }),
    ];
    expect(chunksIn(UI_MESSAGE.closing(whole({ sources, finish: "length" })))).toEqual([
      { type: "text-end", id: "answer" },
      {
        type: "source-document",
        sourceId: "1",
        mediaType: "text/markdown",
        title: "Opening hours",
      },
      { type: "source-url", sourceId: "2", url: "https://example.com/hours", title: "Hours" },
      { type: "source-url", sourceId: "3", url: "/docs/hours", title: "Opening hours" },
      {
        type: "finish",
        finishReason: "length",
        messageMetadata: { quotaRemaining: 19, sources, finish: "length", found: true },
      },
      "[DONE]",
    ]);
  });

  it("shows no source where nothing was found, and keeps the closest ones as metadata", () => {
    const sources = [source(1, { cited: false })];
    expect(chunksIn(UI_MESSAGE.closing(whole({ sources, found: false })))).toEqual([
      { type: "text-end", id: "answer" },
      {
        type: "finish",
        finishReason: "stop",
        messageMetadata: { quotaRemaining: 19, sources, finish: "stop", found: false },
      },
      "[DONE]",
    ]);
  });

  it("sends the SDK's own comment while nothing else is to be sent", () => {
    expect(UI_MESSAGE.heartbeat(HEAD)).toBe(": keep-alive\n\n");
  });

  it("ends a failed answer with the message, and its code as metadata", () => {
    const text = UI_MESSAGE.error(
      {
        type: "error",
        code: "GENERATION_FAILED",
        message: "The model failed. You were not charged; ask again.",
        queryId: "1-abc",
        quotaRemaining: 20,
      },
      PLACE,
    );
    expect(chunksIn(text)).toEqual([
      {
        type: "message-metadata",
        messageMetadata: {
          error: {
            code: "GENERATION_FAILED",
            message: "The model failed. You were not charged; ask again.",
          },
          quotaRemaining: 20,
        },
      },
      { type: "error", errorText: "The model failed. You were not charged; ask again." },
      "[DONE]",
    ]);
  });

  it("ends a stopped answer with an abort, which is no error", () => {
    const message = "The answer was stopped. You were not charged.";
    const text = UI_MESSAGE.error({ type: "error", code: "CANCELLED", message }, PLACE);
    expect(chunksIn(text)).toEqual([
      { type: "message-metadata", messageMetadata: { error: { code: "CANCELLED", message } } },
      { type: "abort", reason: message },
      "[DONE]",
    ]);
  });
});

describe("a refusal of a chat", () => {
  it("is the sentence alone, since useChat shows the whole body", () => {
    const message = "Your limit is 0. Ask the operator.";
    expect(UI_MESSAGE_REFUSAL.refusal(new ServiceError("QUOTA_EXCEEDED", message))).toBe(message);
    expect(UI_MESSAGE_REFUSAL.refusalHeaders).toEqual({
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
    });
  });
});
