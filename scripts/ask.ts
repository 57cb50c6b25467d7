// `npm run ask`: asks a server, and prints the answer as it comes.

import { setTimeout as delay } from "node:timers/promises";
import {
  type Answer,
  BelayError,
  type Client,
  type Outcome,
  QuotaExceededError,
  type Receipt,
} from "../src/client/client.ts";
import { type AnswerBody, TOP_K } from "../src/protocol.ts";
import { type Cost, costLine, sourceLines, stopLine } from "./ask/closing.ts";
import { run as styled, wrap } from "./ask/lines.ts";
import { Server, Unanswered } from "./ask/server.ts";
import { type View, viewOf } from "./ask/view.ts";
import { Failure, run, UsageError } from "./command.ts";
import { flagsAndWords, wholeNumber } from "./flags.ts";
import { printableJson } from "./printable.ts";
import { serverOf } from "./target.ts";

const MAX_TOKENS = { min: 1, max: 4_096 };

const HELP = `Asks a question, and prints the answer as it comes, its sources, and what it cost.

  npm run -s ask -- "When am I charged?"

  --server URL      the server: https://belay.example.com; by default the one that
                    npm start or npm run serve runs here, else http://127.0.0.1:8787
  --user NAME       asks a server on this machine as this user ("you"); the command signs
                    the bearer token with the secret of .dev.vars
  --token T         a user's bearer token; by default that of BELAY_TOKEN. A server on
                    another machine needs it
  --follow-up       asks in view of this user's last answer
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
/** What a stop may take. */
const STOP_MS = 5_000;
/** As a shell says that SIGINT ended a command. */
const STOPPED = 130;

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
      "top-k": { type: "string" },
      "max-tokens": { type: "string" },
      json: { type: "boolean", default: false },
    },
    HELP,
  );
  refuseNpmFlags();
  const query = positionals.join(" ").trim();
  if (query === "") throw new UsageError('The question is missing: npm run -s ask -- "...".');
  const { "top-k": topK, "max-tokens": maxTokens } = values;
  const options = {
    ...(topK !== undefined && { topK: wholeNumber("--top-k", topK, TOP_K.min, TOP_K.max) }),
    ...(maxTokens !== undefined && {
      maxTokens: wholeNumber("--max-tokens", maxTokens, MAX_TOKENS.min, MAX_TOKENS.max),
    }),
  };
  const server = new Server(await serverOf(values.server), values);
  const client = await server.client();
  const history = values["follow-up"] ? await server.lastTurns(client) : [];
  const view = values.json ? undefined : viewOf(process.stdout);

  view?.status("Searching …");
  const answer = client.ask(query, {
    ...options,
    history,
    onSources: (sources) => view?.sources(sources),
    onToken: (token) => view?.token(token),
    onRetry: () => view?.status(server.retrying),
  });
  const stopped = stopOn(answer, values.json ? undefined : process.stdout);
  let outcome: Outcome;
  try {
    outcome = await answer.done;
  } catch (thrown) {
    view?.end(false);
    const stop = stopped();
    if (stop !== undefined) throw await whatStopped(stop, thrown);
    throw server.failureOf(thrown);
  }
  if (values.json) {
    const { queryId, text: answer, ...rest } = outcome;
    console.log(printableJson({ queryId, answer, ...rest } satisfies AnswerBody));
    return;
  }
  await close(view as View, outcome, client);
}

/** Without `--`, npm takes flags for itself and leaves their values as words. */
function refuseNpmFlags(): void {
  if (process.env.npm_lifecycle_event !== "ask") return;
  for (const flag of ["json", "top-k", "max-tokens", "follow-up"]) {
    if (process.env[`npm_config_${flag.replace("-", "_")}`] === undefined) continue;
    throw new UsageError(`npm took --${flag} for itself: write npm run -s ask -- "..." --${flag}.`);
  }
}

/** Prints what follows the answer. */
async function close(view: View, outcome: Outcome, client: Client): Promise<void> {
  view.end(true);
  view.print(sourceLines(outcome, view.width));
  const cost = costLine(outcome, await costOf(client, outcome.queryId));
  const cut =
    outcome.finish === "length"
      ? "The answer reached its longest length: raise --max-tokens. "
      : "";
  view.print([[], ...wrap([styled(cut + cost, "dim")], view.width)]);
}

/**
 * Stops the answer at Ctrl-C, at the end of the terminal, and when the reader of
 * the output is gone. Returns the stop, once there is one.
 */
function stopOn(answer: Answer, output?: NodeJS.WriteStream) {
  let stop: { cause: "signal" | "output"; receipt: Promise<Receipt | undefined> } | undefined;
  const begin = (cause: "signal" | "output") => {
    // Ctrl-C comes twice: npm passes it on.
    stop ??= { cause, receipt: answer.cancel() };
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => begin("signal"));
  }
  output?.on("error", () => begin("output"));
  return () => stop;
}

async function whatStopped(
  { cause, receipt }: NonNullable<ReturnType<ReturnType<typeof stopOn>>>,
  thrown: unknown,
): Promise<Failure> {
  const known = await Promise.race([receipt, delay(STOP_MS, undefined)]);
  const why = cause === "output" ? "The output was closed. " : "";
  const error = thrown instanceof BelayError ? thrown : undefined;
  return new Unanswered(why + stopLine(known), error, cause === "output" ? 1 : STOPPED);
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
