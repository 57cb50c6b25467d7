// Which deployment a command is about, and as whom: its flags --url, --token and --operator-token.

import { UsageError } from "../scripts/command.ts";
import { Caller } from "./caller.ts";

export function originOf(url: string | undefined): string {
  if (url === undefined) throw new UsageError("--url is missing.");
  const parsed = URL.parse(url);
  if (!parsed?.protocol.match(/^https?:$/) || parsed.pathname !== "/" || parsed.search !== "") {
    throw new UsageError("--url must be the origin of a deployment: https://belay.example.com.");
  }
  return parsed.origin;
}

/** A bearer token is better given in the environment: npm prints the flags of what it runs. */
export function callerOf(
  origin: string,
  token: string | undefined,
  flag: string,
  variable: string,
): Caller {
  const given = token ?? process.env[variable];
  if (!given) throw new UsageError(`${flag} is missing, and so is ${variable}.`);
  const caller = new Caller(origin, given);
  if (caller.user === "") {
    throw new UsageError(`${flag} must be a bearer token: a JWT with a sub.`);
  }
  return caller;
}
