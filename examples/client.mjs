// node client.mjs "When am I charged?"
// The client resumes the answer when the connection drops. Ctrl-C stops it.

import { createClient } from "belay/client";

const { BELAY_URL = "http://127.0.0.1:8787", BELAY_TOKEN } = process.env;
if (!BELAY_TOKEN) {
  console.error("Set BELAY_TOKEN: export BELAY_TOKEN=$(npm run -s token -- --user me)");
  process.exit(1);
}
const client = createClient({ url: BELAY_URL, token: BELAY_TOKEN });

const answer = client.ask(process.argv[2] ?? "When am I charged?", {
  onToken: (token) => process.stdout.write(token),
  onRetry: ({ waitMs }) => console.error(`\nNo connection. Next try in ${waitMs} ms.`),
});
process.once("SIGINT", () => answer.cancel());

try {
  const { sources, quotaRemaining } = await answer.done;
  console.log("\n");
  for (const { n, title, url } of sources) console.log(`[${n}] ${title} ${url ?? ""}`);
  console.log(`${quotaRemaining} answers left`);
} catch (error) {
  const advice = error.code === "CONNECTION_LOST" ? ` Does a server run at ${BELAY_URL}?` : "";
  console.error(error.message + advice);
  process.exitCode = 1;
}
