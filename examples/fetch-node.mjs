// node fetch-node.mjs "When am I charged?"
// Ctrl-C stops the answer, which is then refunded.

import { ask } from "./fetch.mjs";

const { BELAY_URL = "http://127.0.0.1:8787", BELAY_TOKEN } = process.env;
const query = process.argv[2] ?? "When am I charged?";
if (!BELAY_TOKEN) {
  console.error("Set BELAY_TOKEN: export BELAY_TOKEN=$(npm run -s token -- --user me)");
  process.exit(1);
}

try {
  for await (const event of ask(BELAY_URL, query, { token: BELAY_TOKEN })) {
    if (event.type === "token") process.stdout.write(event.token);
    if (event.type === "done") {
      console.log("\n");
      for (const { n, title, url } of event.sources) console.log(`[${n}] ${title} ${url ?? ""}`);
      console.log(`${event.quotaRemaining} answers left`);
    }
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
