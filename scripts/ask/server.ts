// The server that `npm run ask` asks, and what its errors mean here.

import {
  BelayError,
  type Client,
  createClient,
  QuotaExceededError,
  type Turn,
} from "../../src/client/client.ts";
import { Failure, UsageError } from "../command.ts";
import { checkUser } from "../flags.ts";
import { givenToken, isLocal, tokenFor, unreachable } from "../target.ts";
import { timeOf } from "./closing.ts";

/** Tries to reach a server that has not answered yet, and one that has. */
const TRIES = { before: 2, after: 10 };
const TOKEN_SECONDS = 3_600;
/** Receipts that are searched for the last answer. */
const RECEIPTS = 20;

/** An error that the service, or the client, has a code for. */
export class Unanswered extends Failure {
  readonly error: BelayError | undefined;

  constructor(message: string, error?: BelayError, exitCode = 1) {
    super(message, exitCode);
    this.error = error;
  }
}

export class Server {
  readonly #origin: string;
  readonly #user: string | undefined;
  readonly #token: { flag: string; typed: string | undefined; variable: string };
  /** Whether this command signed the token. */
  #isSigned = false;
  /** Whether it has ever accepted a request. */
  #hasAnswered = false;

  constructor(origin: string, typed: { user?: string | undefined; token?: string | undefined }) {
    this.#origin = origin;
    this.#user = typed.user;
    this.#token = { flag: "--token", typed: typed.token, variable: "BELAY_TOKEN" };
  }

  async client(): Promise<Client> {
    return createClient({
      url: this.#origin,
      token: await this.#bearer(),
      fetch: async (url, init) => {
        // The bearer token is for this server only.
        const response = await fetch(url, { ...init, redirect: "error" });
        this.#hasAnswered ||= response.ok;
        return response;
      },
      backoff: (attempt) =>
        attempt > (this.#hasAnswered ? TRIES.after : TRIES.before)
          ? undefined
          : Math.min(4_000, 125 * 2 ** attempt),
    });
  }

  async #bearer(): Promise<string> {
    const given = givenToken(this.#token);
    if (this.#user !== undefined) {
      checkUser(this.#user);
      if (given !== undefined) {
        throw new UsageError("--user does not go with a bearer token, which names its user.");
      }
      if (!isLocal(this.#origin)) {
        throw new UsageError("--user is for a server on this machine. Set BELAY_TOKEN instead.");
      }
    }
    this.#isSigned = given === undefined;
    const bearer = { user: this.#user ?? "you", seconds: TOKEN_SECONDS };
    return tokenFor(this.#origin, this.#token, bearer);
  }

  /** What to show while it is tried again. */
  get retrying(): string {
    return this.#hasAnswered ? "The connection was lost. Connecting again …" : "Connecting …";
  }

  /** The user's last question and its answer. */
  async lastTurns(client: Client): Promise<Turn[]> {
    const page = await client.queries({ limit: RECEIPTS }).catch((thrown) => {
      throw this.failureOf(thrown);
    });
    const last = page.queries.find(({ query, answer }) => query !== null && answer !== null);
    if (!last) throw new Failure("There is no answer that --follow-up could follow. Ask first.");
    return [
      { role: "user", content: last.query as string },
      { role: "assistant", content: last.answer as string },
    ];
  }

  failureOf(thrown: unknown): Failure {
    if (!(thrown instanceof BelayError)) throw thrown;
    return new Unanswered(this.#messageOf(thrown), thrown);
  }

  #messageOf(error: BelayError): string {
    const { code, message } = error;
    switch (code) {
      case "CONNECTION_LOST":
        return this.#hasAnswered
          ? `The connection to ${this.#origin} was lost. An answer that does not arrive whole is not charged.`
          : unreachable(this.#origin, error).message;
      case "NOT_BELAY":
        return `${this.#origin} answers (${error.status}), but not as Belay does. Check --server.`;
      case "UNAUTHENTICATED":
        return `The server refuses the bearer token: ${message} ${this.#tokenAdvice()}`;
      case "QUOTA_EXCEEDED":
        return `Your quota is used up, and this question was not charged. ${this.#quotaAdvice(error)}`;
      default:
        return message;
    }
  }

  #tokenAdvice(): string {
    if (!this.#isSigned) {
      const { flag, typed, variable } = this.#token;
      const origin = typed === undefined ? variable : flag;
      const without = isLocal(this.#origin) ? `, or leave it out to have one signed` : "";
      return `It came from ${origin}: renew it${without}.`;
    }
    return "It was signed with AUTH_SECRET of .dev.vars, and the server has another secret: set BELAY_TOKEN.";
  }

  #quotaAdvice(error: BelayError): string {
    const resetsAt = error instanceof QuotaExceededError ? error.resetsAt : null;
    const when = resetsAt === null ? "It does not renew." : `It renews on ${timeOf(resetsAt)}.`;
    return this.#isSigned ? `${when} Until then, --user NAME asks as another user.` : when;
  }
}
