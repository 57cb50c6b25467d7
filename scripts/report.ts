// `npm run report`: prints what users ask, and what they were not answered.

import type { ShownReport } from "../src/shown.ts";
import { Failure, run, UsageError } from "./command.ts";
import { flags, wholeNumber } from "./flags.ts";
import { printable, printableJson } from "./printable.ts";
import { reportAsMarkdown, reportAsText, type Terminal } from "./report-text.ts";
import { operatorToken, serverHelp, serverOf, unreachable } from "./target.ts";

const LIMIT = { byDefault: "10", min: 1, max: 100 };

const HELP = `Prints what users could not be answered, in groups that have words in common, what
they rated down, what they ask most, and which documents answer them. No model is asked.

  --server URL    the server: https://belay.example.com; ${serverHelp(18)}
  --token T       an operator's bearer token; by default that of BELAY_TOKEN, which no
                  shell remembers; for a server on this machine none is needed: the
                  command signs one with the secret of .dev.vars
  --since DAY     the first UTC day, such as 2026-11-22; by default there are 30 days
  --until DAY     the last UTC day; by default today
  --limit N       the length of each list: ${LIMIT.min} to ${LIMIT.max} (${LIMIT.byDefault})
  --markdown      prints Markdown
  --json          prints the JSON of GET /api/v1/admin/report

With SHARE_QUERIES=false there are numbers only. Exit code 1: there is no report. Exit
code 2: wrong flags.`;

/** Of what is no terminal. */
const COLUMNS = 100;
const TIMEOUT_MS = 60_000;
const MESSAGE_LENGTH_MAX = 300;

await run(async () => {
  const { server, token, since, until, limit, markdown, json } = flags(
    {
      server: { type: "string" },
      token: { type: "string" },
      since: { type: "string" },
      until: { type: "string" },
      limit: { type: "string", default: LIMIT.byDefault },
      markdown: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
    HELP,
  );
  if (markdown && json) throw new UsageError("--markdown does not go with --json.");
  if (since !== undefined && until !== undefined && day("--since", since) > day("--until", until)) {
    throw new UsageError("--since must not be after --until.");
  }
  const parameters = new URLSearchParams({
    limit: `${wholeNumber("--limit", limit, LIMIT.min, LIMIT.max)}`,
    ...(since !== undefined && { since: day("--since", since) }),
    ...(until !== undefined && { until: day("--until", until) }),
  });
  const origin = await serverOf(server);
  const report = await reportOf(origin, await operatorToken(origin, token), parameters);
  if (json) console.log(printableJson(report));
  else console.log(markdown ? reportAsMarkdown(report) : reportAsText(report, terminal()));
});

function terminal(): Terminal {
  const { stdout } = process;
  return { columns: stdout.columns ?? COLUMNS, isStyled: stdout.isTTY && stdout.hasColors() };
}

function day(flag: string, typed: string): string {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(typed) && !Number.isNaN(Date.parse(typed));
  if (isDay) return typed;
  throw new UsageError(`${flag} must be a day such as 2026-11-22.`);
}

async function reportOf(
  origin: string,
  token: string,
  parameters: URLSearchParams,
): Promise<ShownReport> {
  const response = await fetch(`${origin}/api/v1/admin/report?${parameters}`, {
    headers: { authorization: `Bearer ${token}` },
    // The bearer token is for this server only.
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error) => {
    throw unreachable(origin, error);
  });
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return body as ShownReport;
  const { message = "" } = (body ?? {}) as { readonly message?: string };
  const why = printable(message, MESSAGE_LENGTH_MAX);
  throw new Failure(`${origin} gives no report (HTTP ${response.status}). ${why}`.trim());
}
