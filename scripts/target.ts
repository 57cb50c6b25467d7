// The server that a command talks to, and the bearer token for it.

import { UsageError } from "./command.ts";

export function originOf(flag: string, typed: string | undefined): string {
  if (typed === undefined) throw new UsageError(`${flag} is missing.`);
  const url = URL.parse(typed);
  if (!url?.protocol.match(/^https?:$/) || url.pathname !== "/" || url.search !== "") {
    throw new UsageError(
      `${flag} takes a scheme, a host and a port only, such as http://127.0.0.1:8787.`,
    );
  }
  return url.origin;
}

/** By default from the environment: shells and npm show flags. */
export function tokenOf(flag: string, typed: string | undefined, variable: string): string {
  const token = typed ?? process.env[variable];
  if (!token) throw new UsageError(`${flag} is missing, and so is ${variable}.`);
  if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError(`${flag} must be a bearer token.`);
  return token;
}
