// Tokens that are paid for: a stream is asked to count them, unless the model
// refuses, and what it reports counts only at its end.

import { describe, expect, it } from "vitest";
import { Completion } from "../../src/generators/completion.ts";
import { inItsForm, parametersOf } from "../../src/generators/parameters.ts";

const PROMPT = {
  messages: [{ role: "user" as const, content: "How?" }],
  maxTokens: 10,
  temperature: undefined,
};

describe("a request", () => {
  const forms: Record<string, unknown>[] = [];

  it("asks a stream for its usage only where tokens are paid for", async () => {
    await inItsForm("usual", async (form) => {
      forms.push(parametersOf(PROMPT, form), parametersOf({ ...PROMPT, isCounted: true }, form));
      return { answer: "" };
    });
    expect(forms[0]).not.toHaveProperty("stream_options");
    expect(forms[1]).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  it("has no stream_options where the model refuses them", async () => {
    const sent: Record<string, unknown>[] = [];
    await inItsForm("refusing", async (form) => {
      const parameters = parametersOf({ ...PROMPT, isCounted: true }, form);
      sent.push(parameters);
      if (!("stream_options" in parameters)) return { answer: "" };
      const words = "Unsupported parameter: stream_options";
      return { refusal: { status: 400, param: "stream_options", words }, error: new Error(words) };
    });
    expect(sent.map((parameters) => "stream_options" in parameters)).toEqual([true, false]);
    expect(sent[1]).toMatchObject({ stream: true });
  });
});

describe("a reported usage", () => {
  const chunk = (text: string, usage?: object) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }], usage })}\n\n`;
  const COUNTED = { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 };
  const last = (usage: object) => `data: ${JSON.stringify({ choices: [], usage })}\n\n`;

  it.each([
    ["is whole at the end", [chunk("One "), chunk("two."), last(COUNTED)], true],
    ["is whole with the last text", [chunk("One "), chunk("two.", COUNTED)], true],
    ["is not whole before the last text", [last(COUNTED), chunk("One "), chunk("two.")], false],
  ])("%s", (_what, events, isWhole) => {
    const completion = new Completion();
    for (const event of events) completion.feed(event);
    expect(completion.usage).toEqual({ total: 9, prompt: 7, isWhole });
  });
});
