// `npm run deploy`: what wrangler.toml declares becomes a deployment on
// Cloudflare. Before the upload, which has the secrets in it, nothing changes.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SecretName } from "../src/config.ts";
import { bearerToken } from "./bearer-token.ts";
import { Failure, run } from "./command.ts";
import { configuration } from "./configuration.ts";
import { addresses, originOfTargets } from "./deploy/addresses.ts";
import { canary, healthy, load, type Tokens } from "./deploy/after.ts";
import { checkInWorkerd } from "./deploy/check.ts";
import { Cloudflare } from "./deploy/cloudflare.ts";
import { inventory } from "./deploy/inventory.ts";
import { type Plan, planOf, unknownVariables } from "./deploy/plan.ts";
import { asked, givenSecrets, SECRETS_FILE, type Secret, type Secrets } from "./deploy/secrets.ts";
import { flags } from "./flags.ts";
import { originOf } from "./target.ts";

const HELP = `Deploys Belay to Cloudflare as wrangler.toml says.

  --dry-run            bundles and checks all, names every binding, variable and secret,
                       and sends nothing; it needs no account
  --ingest PATH        then loads documents: a file, a folder or the address of a site;
                       may be repeated
  --url URL            where the deployment is reached, if it has several addresses; by
                       default the first that Cloudflare names
  --secrets-file FILE  lines NAME=VALUE; ${SECRETS_FILE} by default, which the first deployment
                       makes if it makes up an AUTH_SECRET

Secrets come from variables of the environment with their names, else from the file, else
from what the deployment has. The command asks for what is still missing, and shows none.
It needs a login: npx wrangler login, or CLOUDFLARE_API_TOKEN.

Exit code 1: nothing was deployed, or a step after that failed, as the last line says.
Exit code 2: wrong flags. Exit code 3: a secret is missing, and there is no terminal to ask
in; nothing was deployed.`;

/** A required secret is missing. */
const MISSING = 3;
const DAY_SECONDS = 86_400;

interface Options {
  readonly at: string | undefined;
  readonly sources: readonly string[];
}

await run(async () => {
  const typed = flags(
    {
      "dry-run": { type: "boolean", default: false },
      ingest: { type: "string", multiple: true, default: [] },
      url: { type: "string" },
      "secrets-file": { type: "string" },
    },
    HELP,
  );
  const at = typed.url === undefined ? undefined : originOf("--url", typed.url);
  const plan = planOf(await configuration());
  for (const sentence of unknownVariables(plan)) console.error(sentence);
  const given = await givenSecrets(plan, typed["secrets-file"]);
  const folder = privateFolder();
  try {
    if (typed["dry-run"]) await dryRun(plan, given, folder);
    else await deploy(plan, given, folder, { at, sources: typed.ingest });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function dryRun(plan: Plan, given: Secrets, folder: string): Promise<void> {
  process.stdout.write(inventory(plan, given));
  const missing = missingSecrets(plan, (name) => given.has(name));
  await checkInWorkerd(plan, given, missing, join(folder, "check"));
  if (missing.length > 0) throw notGiven(missing);
  console.log("\nThe Worker accepts this configuration. Nothing was sent.");
}

async function deploy(
  plan: Plan,
  given: Secrets,
  folder: string,
  { at, sources }: Options,
): Promise<void> {
  const cloudflare = new Cloudflare(folder);
  const stored = await cloudflare.secretNames(plan.worker);
  if (stored === undefined) await refuseSecondDeployment(cloudflare, plan);
  const secrets = await complete(plan, given, stored ?? new Set());
  const unknown = [...(stored ?? [])].filter((name) => !secrets.has(name as SecretName));
  const open = missingSecrets(plan, (name) => secrets.has(name) || unknown.includes(name));
  await checkInWorkerd(plan, secrets, [...unknown, ...open], join(folder, "check"));
  const targets = await cloudflare.deploy(secrets);
  const origin = at ?? originOfTargets(targets);
  if (open.length > 0) {
    console.error(`Until it has ${open.join(", ")}, the deployment refuses every request.`);
    return;
  }
  if (origin === undefined) {
    throw new Failure("It is deployed, but Cloudflare names no address for it. Give --url URL.");
  }
  await healthy(origin);
  await afterwards(origin, sources, await tokensFor(plan, secrets));
  process.stdout.write(addresses(origin, Number(plan.variables.ANONYMOUS_LIMIT ?? 0) > 0));
}

/** Earlier releases deployed under another name, and its data stays there. */
async function refuseSecondDeployment(cloudflare: Cloudflare, { worker }: Plan): Promise<void> {
  const earlier = `${worker}-production`;
  if ((await cloudflare.secretNames(earlier)) === undefined) return;
  throw new Failure(
    `There is no Worker ${worker} yet, but ${earlier}, which an earlier release deployed. To upgrade it with its users and documents, write name = "${earlier}" in wrangler.toml. To begin an empty deployment beside it, choose a third name there. Nothing was deployed.`,
  );
}

/** The secrets to upload: those that were given, and those that were typed. */
async function complete(plan: Plan, given: Secrets, stored: ReadonlySet<string>): Promise<Secrets> {
  const secrets = new Map<SecretName, Secret>(given);
  const isKnown = (name: SecretName) => secrets.has(name) || stored.has(name);
  if (process.stdin.isTTY) {
    for (const need of plan.needs) {
      if (isKnown(need.name)) continue;
      const secret = await asked(need);
      if (secret !== undefined) secrets.set(need.name, secret);
    }
  }
  const missing = missingSecrets(plan, isKnown);
  // The "Deploy to Cloudflare" button may store them after the first build.
  if (missing.length > 0 && !process.env.WORKERS_CI) throw notGiven(missing);
  return secrets;
}

function missingSecrets(plan: Plan, isKnown: (name: SecretName) => boolean): SecretName[] {
  const required = plan.needs.filter(({ isRequired }) => isRequired);
  return required.map(({ name }) => name).filter((name) => !isKnown(name));
}

function notGiven(names: readonly SecretName[]): Failure {
  return new Failure(
    `Missing: ${names.join(", ")}. Set it in the environment or in ${SECRETS_FILE}, or run the command in a terminal, where it asks. Nothing was deployed.`,
    MISSING,
  );
}

/** Undefined if this machine can sign none and was given none. */
async function tokensFor(plan: Plan, secrets: Secrets): Promise<Tokens | undefined> {
  const { BELAY_TOKEN } = process.env;
  if (BELAY_TOKEN) return { operator: BELAY_TOKEN, canary: BELAY_TOKEN };
  const AUTH_SECRET = secrets.get("AUTH_SECRET")?.value;
  if (AUTH_SECRET === undefined) return undefined;
  const signing = { ...plan.variables, AUTH_SECRET };
  const seconds = DAY_SECONDS;
  const [operator, user] = await Promise.all([
    bearerToken(signing, { user: "operator", operator: true, seconds }),
    bearerToken(signing, { user: "canary", seconds }),
  ]);
  return { operator, canary: user };
}

async function afterwards(
  origin: string,
  sources: readonly string[],
  tokens: Tokens | undefined,
): Promise<void> {
  if (tokens === undefined) {
    const advice =
      "Set AUTH_SECRET, or BELAY_TOKEN to an operator's bearer token, and run it again.";
    if (sources.length > 0)
      throw new Failure(`It is deployed, but no documents were loaded. ${advice}`);
    console.error(`The canary was not run. ${advice}`);
    return;
  }
  if (sources.length > 0) await load(origin, sources, tokens);
  const reason = await canary(origin, tokens);
  if (reason !== undefined) console.error(reason);
}

/** It goes when the command ends, also if it is stopped. */
function privateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "belay-deploy-"));
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.once(signal, () => {
      rmSync(folder, { recursive: true, force: true });
      process.exit(code);
    });
  }
  return folder;
}
