// `npm run token`: prints a bearer token.

import { bearerToken, signedHere } from "./bearer-token.ts";
import { run, UsageError } from "./command.ts";
import { checkUser, flags } from "./flags.ts";
import { variables } from "./variables.ts";

const HELP = `Prints a bearer token.

  --user NAME    the user: 1 to 128 characters, no control characters
  --operator     gives the token the scope \`operator\`
  --ttl TIME     how long it is valid: 30s, 15m, 1h (the default) or 7d

It is signed with AUTH_SECRET of the environment, else of .dev.vars, which is made if it
does not exist.`;

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 };

await run(async () => {
  const { user, operator, ttl } = flags(
    {
      user: { type: "string" },
      operator: { type: "boolean" },
      ttl: { type: "string", default: "1h" },
    },
    HELP,
  );
  if (user === undefined) throw new UsageError("--user is missing.");
  checkUser(user);
  const bearer = { user, operator: operator === true, seconds: seconds(ttl) };
  const { AUTH_SECRET } = process.env;
  console.log(
    AUTH_SECRET
      ? await bearerToken(await variables({ AUTH_SECRET }), bearer)
      : await signedHere(bearer),
  );
});

function seconds(ttl: string): number {
  const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(ttl) ?? [];
  if (count === undefined) throw new UsageError("--ttl must be a time such as 30s, 15m, 1h or 7d.");
  return Number(count) * SECONDS[unit as keyof typeof SECONDS];
}
