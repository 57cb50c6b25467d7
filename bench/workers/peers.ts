// Two libraries that a reader would otherwise take, each as its own docs
// show it: Hono's `streamSSE`, and the AI SDK's `streamText`.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { streamText } from "ai";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";

interface Env {
  readonly MODEL: string;
}

const app = new Hono<{ Bindings: Env }>();

app.post("/hono", async (context) => {
  const answer = await fetch(context.env.MODEL, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: await context.req.text(),
  });
  return streamSSE(context, async (stream) => {
    let buffer = "";
    for await (const text of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      buffer += text;
      const frames = buffer.split("\n\n");
      buffer = frames.pop() ?? "";
      for (const frame of frames) {
        const data = frame.slice("data: ".length);
        if (data === "[DONE]") continue;
        const token = JSON.parse(data).choices[0]?.delta?.content;
        if (token) await stream.writeSSE({ data: JSON.stringify({ type: "token", token }) });
      }
    }
    await stream.writeSSE({ data: JSON.stringify({ type: "done" }) });
  });
});

app.post("/ai-sdk", async (context) => {
  const { question } = await context.req.json<{ question: string }>();
  const baseURL = context.env.MODEL.replace("/chat/completions", "");
  const provider = createOpenAICompatible({ name: "lab", baseURL });
  const answer = streamText({
    model: provider.chatModel("lab"),
    prompt: question,
    abortSignal: context.req.raw.signal,
  });
  return answer.toUIMessageStreamResponse();
});

export default app;
