// The server that a command talks to, and the bearer token for it. By default
// the server runs on this machine, and the command signs the token itself.

import { type Bearer, signedHere } from "./bearer-token.ts";
import { Failure, innermostReason, UsageError } from "./command.ts";
import { servedHere } from "./data-folder.ts";
import { printable } from "./printable.ts";

const DEFAULT_SERVER = "http://127.0.0.1:8787";
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
/** A large folder takes hours where passages are embedded. */
const DAY_SECONDS = 86_400;
const REASON_LENGTH_MAX = 300;

/** How a user names a bearer token. */
export interface TokenFlag {
  readonly flag: string;
  readonly typed: string | undefined;
  readonly variable: string;
}

/** How a command's help ends the line of `--server`, at this indentation. */
export function serverHelp(indent: number): string {
  return `by default the one that
${" ".repeat(indent)}npm start or npm run serve runs here, else ${DEFAULT_SERVER}`;
}

/** The flag `--token`. */
export function tokenFlag(typed: string | undefined): TokenFlag {
  return { flag: "--token", typed, variable: "BELAY_TOKEN" };
}

/** The server of `--server`, else that of this checkout. */
export async function serverOf(typed: string | undefined): Promise<string> {
  if (typed !== undefined) return originOf("--server", typed);
  const urls = await servedHere();
  return urls.includes(DEFAULT_SERVER) ? DEFAULT_SERVER : (urls[0] ?? DEFAULT_SERVER);
}

export function originOf(flag: string, typed: string): string {
  const url = URL.parse(typed);
  if (!url?.protocol.match(/^https?:$/) || url.pathname !== "/" || url.search !== "") {
    throw new UsageError(
      `${flag} takes a scheme, a host and a port only, such as ${DEFAULT_SERVER}.`,
    );
  }
  return url.origin;
}

/** Whether a server runs on this machine. */
export function isLocal(origin: string): boolean {
  return LOOPBACK.includes(new URL(origin).hostname);
}

/** The bearer token that was typed or is in the environment, if any. */
export function givenToken({ flag, typed, variable }: TokenFlag): string | undefined {
  // By default from the environment: shells and npm show flags.
  const token = typed ?? process.env[variable];
  if (!token) return undefined;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new UsageError(`${typed === undefined ? variable : flag} must be a bearer token.`);
}

/**
 * The token that was given, else one that this command signs. Its secret is for
 * this machine: no other server gets a token that is signed with it.
 */
export async function tokenFor(origin: string, flag: TokenFlag, bearer: Bearer): Promise<string> {
  const given = givenToken(flag);
  if (given !== undefined) return given;
  if (isLocal(origin) || (await servedHere()).includes(origin)) {
    return signedHere(bearer, `Set ${flag.variable} to one.`);
  }
  throw new UsageError(
    `Set ${flag.variable} to a bearer token of ${origin}: a command signs one itself only for a server on this machine.`,
  );
}

/** For the commands that only an operator may run. */
export function operatorToken(origin: string, typed: string | undefined): Promise<string> {
  return tokenFor(origin, tokenFlag(typed), {
    user: "operator",
    operator: true,
    seconds: DAY_SECONDS,
  });
}

/** The server cannot be reached. */
export function unreachable(origin: string, error: unknown): Failure {
  const reason = printable(innermostReason(error), REASON_LENGTH_MAX);
  const advice = isLocal(origin)
    ? "Start one with npm start, or name another with --server URL."
    : "Check --server and the network.";
  return new Failure(`No server can be reached at ${origin}: ${reason}. ${advice}`);
}
