// What follows an upload: until the deployment answers, its documents, and the
// canary.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Failure, innermostReason, PROJECT } from "../command.ts";
import { Documents } from "../documents.ts";
import { printable } from "../printable.ts";

const SECOND_MS = 1_000;
/** A new name takes a while until it is known everywhere. */
const ANSWERS_WITHIN_MS = 120_000;
const REQUEST_TIMEOUT_MS = 10_000;
const REASON_LENGTH_MAX = 500;

/** Bearer tokens for the deployment. */
export interface Tokens {
  readonly operator: string;
  readonly canary: string;
}

/** Waits until every variable is right and storage takes writes. */
export async function healthy(origin: string): Promise<void> {
  const end = performance.now() + ANSWERS_WITHIN_MS;
  let isSaid = false;
  for (;;) {
    const reason = await ailment(origin);
    if (reason === undefined) return;
    if (performance.now() > end) {
      throw new Failure(`It is deployed, but ${origin}/healthz does not answer 200: ${reason}`);
    }
    if (!isSaid) console.error(`Waiting until ${origin} answers.`);
    isSaid = true;
    await delay(SECOND_MS);
  }
}

async function ailment(origin: string): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const response = await fetch(`${origin}/healthz`, { signal, redirect: "manual" });
    const body = await response.text();
    return response.status === 200
      ? undefined
      : printable(`${response.status} ${body}`, REASON_LENGTH_MAX);
  } catch (error) {
    return printable(innermostReason(error), REASON_LENGTH_MAX);
  }
}

export async function load(
  origin: string,
  sources: readonly string[],
  { operator }: Tokens,
): Promise<void> {
  const code = await script("ingest", [...sources, `--server=${origin}`], operator);
  if (code === 0) return;
  throw new Failure(
    "It is deployed, but not all documents were loaded: the reason is above. npm run ingest loads them.",
  );
}

/** Returns why the canary was not run. */
export async function canary(origin: string, tokens: Tokens): Promise<string | undefined> {
  if ((await new Documents(origin, tokens.operator).first()) === undefined) {
    return "The canary needs documents: load some, then run npm run canary.";
  }
  if ((await script("canary", [`--server=${origin}`], tokens.canary)) === 0) return undefined;
  throw new Failure(
    "It is deployed, but the canary failed: the reason is above. npx wrangler rollback goes back to the release before.",
  );
}

async function script(name: string, args: readonly string[], token: string): Promise<number> {
  const file = join(PROJECT, "scripts", `${name}.ts`);
  const child = spawn(process.execPath, [file, ...args], {
    stdio: "inherit",
    env: { ...process.env, BELAY_TOKEN: token },
  });
  const [code] = await once(child, "close");
  return code ?? 1;
}
