// node openai-responses.mjs "When am I charged?" "And if it fails?"
// The package `openai` and its Responses API. The second question follows up on
// the first: Belay remembers the answer under its id.

import OpenAI from "openai";

const { BELAY_URL = "http://127.0.0.1:8787", BELAY_TOKEN } = process.env;
if (!BELAY_TOKEN) {
  console.error("Set BELAY_TOKEN: export BELAY_TOKEN=$(npm run -s token -- --user me)");
  process.exit(1);
}
const openai = new OpenAI({ baseURL: `${BELAY_URL}/v1`, apiKey: BELAY_TOKEN });
const questions = process.argv.length > 2 ? process.argv.slice(2) : ["When am I charged?"];

try {
  let previous;
  for (const input of questions) {
    const stream = await openai.responses.create({
      model: "belay",
      input,
      previous_response_id: previous,
      stream: true,
    });
    for await (const event of stream) {
      if (event.type === "response.output_text.delta") process.stdout.write(event.delta);
      if (event.type === "response.failed") throw new Error(event.response.error.message);
      if (event.type === "response.completed") {
        const { id, belay } = event.response;
        previous = id;
        console.log("\n");
        for (const { n, title, url } of belay.sources) console.log(`[${n}] ${title} ${url ?? ""}`);
        console.log(`${belay.quotaRemaining} answers left`);
      }
    }
  }
} catch (error) {
  const isLost = error instanceof OpenAI.APIConnectionError;
  console.error(isLost ? `No answer from ${BELAY_URL}: does a server run there?` : error.message);
  process.exitCode = 1;
}
