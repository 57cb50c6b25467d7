// `npm run ask`: asks a server, and prints the answer as it comes.

import { setTimeout as delay } from "node:timers/promises";
import { BelayError, type Client, type Outcome, QuotaExceededError } from "../src/client/client.ts";
import { TOP_K } from "../src/protocol.ts";
import type { Cost } from "./ask/closing.ts";
import { Server, Unanswered } from "./ask/server.ts";
import { Stop } from "./ask/stop.ts";
import { viewOf } from "./ask/view.ts";
import { Failure, run, UsageError } from "./command.ts";
import { flagsAndWords, wholeNumber } from "./flags.ts";
import { printableJson } from "./printable.ts";
import { serverHelp, serverOf } from "./target.ts";

const MAX_TOKENS = { min: 1, max: 4_096 };

const HELP = `Asks a question, and prints the answer as it comes, its sources, and what it cost.

  npm run -s ask -- "When am I charged?"

  --server URL      the server: https://belay.example.com; ${serverHelp(20)}
  --user NAME       asks a server on this machine as this user ("you"); the command signs
                    the bearer token with the secret of .dev.vars
  --token T         a user's bearer token; by default that of BELAY_TOKEN. A server on
                    another machine needs it
  --follow-up       asks in view of this user's last answer
  --collections NAMES
                    where to search, comma-separated: by default in all collections that
                    the user may read
  --top-k N         how many passages to answer from: ${TOP_K.min} to ${TOP_K.max} (${TOP_K.byDefault})
  --max-tokens N    how long the answer may be: ${MAX_TOKENS.min} to ${MAX_TOKENS.max} (1024)
  --json            prints one JSON object instead: the answer as POST /api/v1/ai/ask
                    gives it, or an error with "type": "error"

A dropped connection is resumed. Ctrl-C stops the answer and its model, and it is not
charged. Elsewhere than in a terminal, the answer is printed as Markdown; NO_COLOR turns
styles off in a terminal.

Exit code 0: there is an answer, also if it says that nothing was found ("found": false).
Exit code 1: there is none. Exit code 2: wrong flags. Exit code 130: you stopped it.`;

const SETTLED_MS = 2_000;
const SETTLED_POLL_MS = 50;

await run(async () => {
  const isJson = process.argv.includes("--json");
  try {
    await ask();
  } catch (thrown) {
    if (!isJson || !(thrown instanceof Failure)) throw thrown;
    console.log(printableJson(errorBody(thrown)));
    process.exit(thrown.exitCode);
  }
});

async function ask(): Promise<void> {
  const { values, positionals } = flagsAndWords(
    {
      server: { type: "string" },
      user: { type: "string" },
      token: { type: "string" },
      "follow-up": { type: "boolean", default: false },
      collections: { type: "string" },
      "top-k": { type: "string" },
      "max-tokens": { type: "string" },
      json: { type: "boolean", default: false },
    },
    HELP,
  );
  refuseNpmFlags();
  const query = positionals.join(" ").trim();
  if (query === "") throw new UsageError('The question is missing: npm run -s ask -- "...".');
  const { collections, "top-k": topK, "max-tokens": maxTokens } = values;
  const options = {
    ...(collections !== undefined && {
      collections: collections.split(",").map((name) => name.trim()),
    }),
    ...(topK !== undefined && { topK: wholeNumber("--top-k", topK, TOP_K.min, TOP_K.max) }),
    ...(maxTokens !== undefined && {
      maxTokens: wholeNumber("--max-tokens", maxTokens, MAX_TOKENS.min, MAX_TOKENS.max),
    }),
  };
  const server = new Server(await serverOf(values.server), values);
  const client = await server.client();
  const history = values["follow-up"] ? await server.lastTurns(client) : [];
  const view = viewOf(process.stdout, values.json);

  view.status("Searching …");
  const answer = client.ask(query, {
    ...options,
    history,
    onSources: (sources) => view.sources(sources),
    onToken: (token) => view.token(token),
    onRetry: () => view.status(server.retrying),
  });
  const stop = new Stop(answer, values.json ? undefined : process.stdout);
  let outcome: Outcome;
  try {
    outcome = await answer.done;
  } catch (thrown) {
    view.broken();
    throw (await stop.failure(thrown)) ?? server.failureOf(thrown);
  }
  await view.whole(outcome, () => costOf(client, outcome.queryId));
}

/** Without `--`, npm takes flags for itself and leaves their values as words. */
function refuseNpmFlags(): void {
  if (process.env.npm_lifecycle_event !== "ask") return;
  for (const flag of ["json", "top-k", "max-tokens", "follow-up"]) {
    if (process.env[`npm_config_${flag.replace("-", "_")}`] === undefined) continue;
    throw new UsageError(`npm took --${flag} for itself: write npm run -s ask -- "..." --${flag}.`);
  }
}

/** The charge follows the last event, so the receipt may need a moment. */
async function costOf(client: Client, queryId: string): Promise<Cost> {
  const end = Date.now() + SETTLED_MS;
  try {
    let receipt = await client.query(queryId);
    while (receipt.state === "reserved" && Date.now() < end) {
      await delay(SETTLED_POLL_MS);
      receipt = await client.query(queryId);
    }
    return { receipt, quota: await client.quota() };
  } catch (thrown) {
    if (!(thrown instanceof BelayError)) throw thrown;
    return { receipt: undefined, quota: undefined };
  }
}

/** In the form of the service. */
function errorBody(failure: Failure): object {
  const error = failure instanceof Unanswered ? failure.error : undefined;
  return {
    type: "error",
    message: failure.message,
    code: error?.code ?? "INVALID_REQUEST",
    queryId: error?.queryId,
    quotaRemaining: error?.quotaRemaining,
    resetsAt: error instanceof QuotaExceededError ? error.resetsAt : undefined,
  };
}
