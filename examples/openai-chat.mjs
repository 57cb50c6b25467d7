// node openai-chat.mjs "When am I charged?"
// The package `openai`, unchanged: only the address and the key are Belay's.
// Ctrl-C stops the answer, which is then refunded.

import OpenAI from "openai";

const { BELAY_URL = "http://127.0.0.1:8787", BELAY_TOKEN } = process.env;
if (!BELAY_TOKEN) {
  console.error("Set BELAY_TOKEN: export BELAY_TOKEN=$(npm run -s token -- --user me)");
  process.exit(1);
}
const openai = new OpenAI({ baseURL: `${BELAY_URL}/v1`, apiKey: BELAY_TOKEN });

try {
  const stream = await openai.chat.completions.create({
    model: "belay",
    messages: [{ role: "user", content: process.argv[2] ?? "When am I charged?" }],
    stream: true,
  });
  let belay = {};
  for await (const chunk of stream) {
    process.stdout.write(chunk.choices[0]?.delta.content ?? "");
    // Sources, quota and the query's id, beside what OpenAI sends.
    belay = { ...belay, ...chunk.belay };
  }
  console.log("\n");
  for (const { n, title, url } of belay.sources) console.log(`[${n}] ${title} ${url ?? ""}`);
  console.log(`${belay.quotaRemaining} answers left`);
} catch (error) {
  const isLost = error instanceof OpenAI.APIConnectionError;
  console.error(isLost ? `No answer from ${BELAY_URL}: does a server run there?` : error.message);
  process.exitCode = 1;
}
