// `npm run token`: prints a bearer token.

import { collectionNames } from "../src/collections.ts";
import { type Bearer, bearerToken, signedHere } from "./bearer-token.ts";
import { run, UsageError } from "./command.ts";
import { configuration } from "./configuration.ts";
import { planOf } from "./deploy/plan.ts";
import { givenSecrets, SECRETS_FILE } from "./deploy/secrets.ts";
import { checkUser, flags } from "./flags.ts";
import { variables } from "./variables.ts";

const HELP = `Prints a bearer token.

  --user NAME    the user: 1 to 128 characters, no control characters
  --operator     gives the token the scope \`operator\`
  --collections NAMES
                 the collections that the user may read, comma-separated; without it
                 those of the server's variable COLLECTIONS
  --ttl TIME     how long it is valid: 30s, 15m, 1h (the default) or 7d
  --deployed     for the deployment of this checkout: signed with AUTH_SECRET of the
                 environment, else of ${SECRETS_FILE}

It is signed with AUTH_SECRET of the environment, else of .dev.vars, which is made if it
does not exist.`;

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 };

await run(async () => {
  const { user, operator, collections, ttl, deployed } = flags(
    {
      user: { type: "string" },
      operator: { type: "boolean" },
      collections: { type: "string" },
      ttl: { type: "string", default: "1h" },
      deployed: { type: "boolean", default: false },
    },
    HELP,
  );
  if (user === undefined) throw new UsageError("--user is missing.");
  checkUser(user);
  const bearer = {
    ...{ user, operator: operator === true, seconds: seconds(ttl) },
    ...(collections !== undefined && { collections: names(collections) }),
  };
  console.log(deployed ? await signedForDeployment(bearer) : await signedForHere(bearer));
});

async function signedForHere(bearer: Bearer): Promise<string> {
  const { AUTH_SECRET } = process.env;
  return AUTH_SECRET ? bearerToken(await variables({ AUTH_SECRET }), bearer) : signedHere(bearer);
}

async function signedForDeployment(bearer: Bearer): Promise<string> {
  const plan = planOf(await configuration());
  const AUTH_SECRET = (await givenSecrets(plan, undefined)).get("AUTH_SECRET")?.value ?? "";
  return bearerToken({ ...plan.variables, AUTH_SECRET }, bearer);
}

/** An empty list is nothing. */
function names(list: string): readonly string[] {
  const all = collectionNames(list === "" ? [] : list.split(",").map((name) => name.trim()));
  if (all !== undefined) return all;
  throw new UsageError(
    "--collections must be names of 1 to 64 lower-case letters, digits and hyphens, comma-separated.",
  );
}

function seconds(ttl: string): number {
  const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(ttl) ?? [];
  if (count === undefined) throw new UsageError("--ttl must be a time such as 30s, 15m, 1h or 7d.");
  return Number(count) * SECONDS[unit as keyof typeof SECONDS];
}
