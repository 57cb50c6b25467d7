// node client.mjs "When am I charged?"
// The client resumes the answer when the connection drops. Ctrl-C stops it.

import { createClient } from "belay/client";

const { BELAY_URL = "http://127.0.0.1:8787", BELAY_TOKEN } = process.env;
const client = createClient({ url: BELAY_URL, token: BELAY_TOKEN });

const answer = client.ask(process.argv[2] ?? "When am I charged?", {
  onToken: (token) => process.stdout.write(token),
  onRetry: ({ waitMs }) => console.error(`\nThe connection dropped. Next try in ${waitMs} ms.`),
});
process.once("SIGINT", () => answer.cancel());

try {
  const { sources, quotaRemaining } = await answer.done;
  console.log("\n");
  for (const { n, title, url } of sources) console.log(`[${n}] ${title} ${url ?? ""}`);
  console.log(`${quotaRemaining} answers left`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
