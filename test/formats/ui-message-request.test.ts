// How an ask is read from what the AI SDK's default transport sends.

import { describe, expect, it } from "vitest";
import { UI_MESSAGE } from "../../src/formats/ui-message.ts";
import { UI_CHAT } from "../../src/formats/ui-message-request.ts";

type Part = { readonly type: string; readonly [member: string]: unknown };

const text = (words: string): Part => ({ type: "text", text: words });
const message = (role: string, ...parts: readonly (string | Part)[]) => ({
  id: crypto.randomUUID(),
  role,
  parts: parts.map((part) => (typeof part === "string" ? text(part) : part)),
});

/** As the transport sends it. */
function read(messages: readonly unknown[], members: Record<string, unknown> = {}) {
  return UI_CHAT.read({ id: "chat-1", messages, trigger: "submit-message", ...members }, [
    "default",
  ]);
}

function refusal(...body: Parameters<typeof read>): string {
  try {
    read(...body);
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: "INVALID_REQUEST" });
    return (thrown as Error).message;
  }
  throw new Error("It was accepted.");
}

describe("an ask of the AI SDK's chat", () => {
  it("is the user's message, with the defaults of an ask and the chat's id", () => {
    expect(read([message("user", "  When do you open? ")])).toEqual({
      format: UI_MESSAGE,
      chat: "chat-1",
      again: false,
      ask: {
        query: "When do you open?",
        history: [],
        instructions: undefined,
        topK: 5,
        maxTokens: 1_024,
        temperature: undefined,
        onDisconnect: "cancel",
        collections: ["default"],
      },
    });
  });

  it("takes our options from the member belay, and ignores the application's fields", () => {
    const belay = {
      ...{ topK: 3, maxTokens: 50, temperature: 0, onDisconnect: "wait" },
      collections: ["default"],
    };
    const others = { model: "gpt-5", webSearch: true, tools: {}, messageId: "m-1", topK: 7 };
    const { ask } = read([message("user", "Hours?")], { belay, ...others });
    expect(ask).toEqual({ query: "Hours?", history: [], instructions: undefined, ...belay });
  });

  it("has the earlier messages as its history, without what was not said", () => {
    const { ask } = read([
      message("user", "When do you open?"),
      message(
        "assistant",
        { type: "step-start" },
        { type: "reasoning", text: "Hm." },
        "At 9 [1].",
        "And at 10 on Sundays.",
        { type: "source-url", sourceId: "1", url: "https://example.com/" },
        { type: "data-weather", data: {} },
      ),
      message("user", "And on Saturdays?"),
    ]);
    expect(ask.query).toBe("And on Saturdays?");
    expect(ask.history).toEqual([
      { role: "user", content: "When do you open?" },
      { role: "assistant", content: "At 9 [1].\n\nAnd at 10 on Sundays." },
    ]);
  });

  it("leaves out messages without text, such as answers that failed", () => {
    const { ask } = read([
      message("user", "When do you open?"),
      message("assistant"),
      message("user", { type: "file", mediaType: "image/png", url: "data:," }),
      message("user", "Hours?"),
    ]);
    expect(ask.history).toEqual([{ role: "user", content: "When do you open?" }]);
  });

  it("has the newest 20 messages as its history", () => {
    const messages = Array.from({ length: 41 }, (_, n) =>
      message(n % 2 === 0 ? "user" : "assistant", `Message ${n}`),
    );
    const { history } = read(messages).ask;
    expect(history.length).toBe(20);
    expect(history[0]?.content).toBe("Message 20");
    expect(history.at(-1)?.content).toBe("Message 39");
  });

  it("passes system messages on as instructions", () => {
    const { ask } = read([
      message("system", "Answer in French.", "Be brief."),
      message("user", "Hours?"),
    ]);
    expect(ask.instructions).toBe("Answer in French.\n\nBe brief.");
    expect(ask.history).toEqual([]);
  });

  it("asks the last message of the user again, without what followed it", () => {
    const messages = [message("user", "Hours?"), message("assistant", "At ni")];
    const { ask, again } = read(messages, { trigger: "regenerate-message", messageId: "m-2" });
    expect(ask).toMatchObject({ query: "Hours?", history: [] });
    expect(again).toBe(true);
  });

  it("needs no id, and takes null in a field as left out", () => {
    const { ask, chat } = read([message("user", "Hours?")], {
      id: undefined,
      trigger: null,
      belay: { topK: null, maxTokens: null, temperature: null, onDisconnect: null },
    });
    expect(chat).toBeUndefined();
    expect(ask).toMatchObject({ topK: 5, maxTokens: 1_024, onDisconnect: "cancel" });
    expect(read([message("user", "Hours?")], { belay: null }).ask).toEqual(ask);
  });

  it("keeps half a character from the model", () => {
    const { ask } = read([message("user", "Hours\ud83d?"), message("user", "Hours?")]);
    expect(ask.history).toEqual([{ role: "user", content: "Hours\ufffd?" }]);
  });
});

describe("a chat that cannot be read is refused in a sentence for its user", () => {
  it.each([
    ["no message", [], 'The field "messages" must end with a message of the user.'],
    [
      "no message of the user",
      [message("assistant", "Hello!")],
      'The field "messages" must end with a message of the user.',
    ],
    [
      "an empty question",
      [message("user", " ")],
      'The field "messages" must end with a question of 1 to 4000 characters.',
    ],
    [
      "an invisible question",
      [message("user", "\u200b")],
      'The field "messages" must end with a question of 1 to 4000 characters.',
    ],
    [
      "a question that is too long",
      [message("user", "x".repeat(4_001))],
      "The last message is longer than 4000 characters. Shorten it.",
    ],
    [
      "a question with a file",
      [message("user", "What is this?", { type: "file", mediaType: "image/png", url: "data:," })],
      "Files cannot be read here: the last message has one. Send text only.",
    ],
    [
      "an unknown role",
      [message("tool", "Hours?")],
      'The field "messages.0.role" must be "system", "user" or "assistant".',
    ],
    [
      "a text part without a text",
      [message("user", { type: "text" })],
      'The field "messages.0.parts.0" must have a text.',
    ],
    [
      "a message without parts",
      [{ role: "user", content: "Hours?" }],
      'The field "messages.0.parts" is missing.',
    ],
  ])("%s", (_, messages, sentence) => {
    expect(refusal(messages)).toBe(sentence);
  });

  it("a field of ours with a wrong value", () => {
    expect(refusal([message("user", "Hours?")], { belay: { onDisconnect: "stay" } })).toBe(
      'The field "belay.onDisconnect" must be "cancel", "wait" or "continue".',
    );
    expect(refusal([message("user", "Hours?")], { belay: { onDisconect: "wait" } })).toContain(
      'Unknown field "belay.onDisconect"',
    );
    expect(refusal([message("user", "Hours?")], { id: 7 })).toContain('"id"');
  });

  it.each([null, [], "Hours?"])("a body that is %j", (body) => {
    expect(() => UI_CHAT.read(body, ["default"])).toThrow("The body must be a JSON object.");
  });

  it("a body without messages", () => {
    expect(() => UI_CHAT.read({ id: "chat-1" }, ["default"])).toThrow(
      'The field "messages" is missing.',
    );
  });
});
