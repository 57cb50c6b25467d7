// GET /healthz: whether every variable is valid, and storage takes writes.

import { budgetConfig } from "../budget-config.ts";
import { defaultCollections, jurisdiction, userConfig } from "../config.ts";
import { answeredIn } from "../deadline.ts";
import { reasonOf, ServiceError } from "../errors.ts";
import { Outage } from "../user/outage.ts";
import {
  budgetStub,
  checkBudget,
  checkSearch,
  copyCount,
  type Env,
  generator,
  rewriter,
  storageProbe,
} from "../wiring.ts";
import { accessConfig } from "./access.ts";
import { allowedOrigins } from "./cors.ts";
import { ownQuestions, pageIdentity } from "./page-identity.ts";
import { trustedProxies } from "./proxy.ts";
import { authenticationConfig, checkRotation, sessionSecrets } from "./signing.ts";

/**
 * How long a successful write counts: the route is public, writes are billed.
 */
const WRITTEN_AGE_MAX_MS = 10_000;

const BUDGET_MS = 3_000;

/** By namespace, as outages. */
const percents = new WeakMap<object, { readonly percent: number; readonly at: number }>();

/** By namespace. The object cannot keep it: a failed write resets the object. */
const outages = new WeakMap<object, Outage>();

/** Throws UNAVAILABLE with a message that says what to fix. */
export async function health(env: Env): Promise<Response> {
  checkConfig(env);
  const outage =
    outages.get(env.USERS) ?? new Outage((maxAgeMs) => storageProbe(env).tryWrite(maxAgeMs));
  outages.set(env.USERS, outage);
  if (await outage.check(WRITTEN_AGE_MAX_MS)) {
    throw new ServiceError(
      "UNAVAILABLE",
      "Storage takes no writes, so every ask is refused. Look at the disk and at the log.",
      { headers: { "retry-after": "10" } },
    );
  }
  const lines = ["ok", ...(await budgetLines(env))].map((line) => `${line}\n`);
  return new Response(lines.join(""), { headers: { "cache-control": "no-store" } });
}

/** The route is public, so it shows no amount: only tens of percent. */
async function budgetLines(env: Env): Promise<string[]> {
  if (budgetConfig(env) === undefined) return [];
  const known = percents.get(env.USERS);
  const isFresh = known !== undefined && performance.now() - known.at < WRITTEN_AGE_MAX_MS;
  const percent = isFresh ? known.percent : await askedPercent(env);
  if (percent >= 100) return ["budget: used up"];
  if (percent < 10) return ["budget: less than 10 % is used"];
  return [`budget: ${Math.floor(percent / 10) * 10} % or more is used`];
}

async function askedPercent(env: Env): Promise<number> {
  try {
    const percent = await answeredIn(BUDGET_MS, async () => budgetStub(env)?.percent());
    percents.set(env.USERS, { percent: percent ?? 0, at: performance.now() });
    return percent ?? 0;
  } catch (thrown) {
    console.error("The budget could not be asked:", reasonOf(thrown));
    throw new ServiceError(
      "UNAVAILABLE",
      "The budget cannot be asked, so asks are refused. Look at the log.",
      { headers: { "retry-after": "10" } },
    );
  }
}

/**
 * Reads every variable, so that a wrong one shows before the first ask. Throws
 * UNAVAILABLE.
 */
export function checkConfig(env: Env): void {
  userConfig(env);
  authenticationConfig(env);
  sessionSecrets(env);
  checkRotation(env);
  accessConfig(env);
  allowedOrigins(env);
  trustedProxies(env);
  pageIdentity(env);
  ownQuestions(env);
  jurisdiction(env);
  defaultCollections(env);
  copyCount(env);
  checkBudget(env);
  checkSearch(env);
  generator(env);
  rewriter(env);
}
