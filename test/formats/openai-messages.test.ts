// Both of OpenAI's APIs read a message alike.

import { describe, expect, it } from "vitest";
import { CHAT_COMPLETIONS } from "../../src/formats/openai-chat.ts";
import { RESPONSES } from "../../src/formats/openai-responses-request.ts";

describe.each([
  ["Chat Completions", CHAT_COMPLETIONS, "messages"],
  ["Responses", RESPONSES, "input"],
] as const)("a message of OpenAI's %s", (_, surface, field) => {
  const read = (...messages: unknown[]) =>
    surface.read({ model: "belay", [field]: messages }, ["default"]).ask;
  const parts = (...types: string[]) =>
    types.map((type, index) => ({ type, text: `Part ${index + 1}.` }));

  it("may have parts, each of which is a block of its own", () => {
    const { query, history, instructions } = read(
      { role: "developer", content: parts("input_text", "text") },
      { role: "user", content: parts("input_text", "text") },
      { role: "assistant", content: parts("output_text", "text") },
      { role: "user", content: parts("text", "input_text") },
    );
    const text = "Part 1.\n\nPart 2.";
    expect({ query, instructions }).toEqual({ query: text, instructions: text });
    expect(history).toEqual([
      { role: "user", content: text },
      { role: "assistant", content: text },
    ]);
  });

  it.each([
    [
      "0.role",
      'must be "system", "developer", "user" or "assistant"',
      { role: "tool", content: "x" },
    ],
    ["0.content", "must be of type string", { role: "user", content: 7 }],
    [
      "0.content.1.type",
      'must be "text", "input_text" or "output_text": only text can be read here',
      { role: "user", content: [...parts("text"), { type: "image_url" }] },
    ],
  ])("is refused by the name of its field %s", (name, rule, message) => {
    expect(() => read(message)).toThrow(`The field "${field}.${name}" ${rule}.`);
  });
});
