// A server's documents, over its admin routes. A busy server is asked again.

import ky, { type HTTPError, isHTTPError, type KyInstance, type Options } from "ky";
import * as v from "valibot";
import { Failure } from "./command.ts";
import { printable } from "./printable.ts";
import { isLocal, unreachable } from "./target.ts";

const Entry = v.object({
  id: v.string(),
  title: v.string(),
  url: v.nullable(v.string()),
  contentHash: v.string(),
  sample: v.optional(v.boolean(), false),
});
const Page = v.object({ documents: v.array(Entry), after: v.nullable(v.string()) });
const Put = v.object({ passages: v.number() });
const Refusal = v.object({ message: v.string() });

/** The fields of a stored document that the commands use. */
export type Entry = v.InferOutput<typeof Entry>;

export interface Content {
  readonly title: string;
  readonly text: string;
  readonly url: string | null;
  /** A sample is deleted when the first other document arrives. */
  readonly sample?: true;
}

/** The server refuses this document; others may be accepted. */
export class Refused extends Error {}

const PAGE = 200;
const NO_DOCUMENTS: v.InferOutput<typeof Page> = { documents: [], after: null };
/** Statuses that are about the document in the request. */
const REFUSES_THE_DOCUMENT: ReadonlySet<number> = new Set([400, 413, 422, 500]);
const FORBIDDEN: ReadonlySet<number> = new Set([401, 403]);
const MESSAGE_LENGTH_MAX = 300;

const TRIES = 6;
const RETRIED = [429, 503];
/** A wrong address is likelier than a server that is starting. */
const TRIES_TO_REACH = 3;
const PAUSE_MS = 500;
const PAUSE_MS_MAX = 30_000;
/** Longer pauses are explained. */
const SILENT_SECONDS_MAX = 5;

const REQUESTS: Options = {
  timeout: 120_000,
  // The bearer token is for this server only.
  redirect: "error",
  retry: {
    limit: TRIES - 1,
    statusCodes: RETRIED,
    delay: (tries) => PAUSE_MS * 2 ** (tries - 1),
    backoffLimit: PAUSE_MS_MAX,
    maxRetryAfter: PAUSE_MS_MAX,
    retryOnTimeout: true,
    shouldRetry({ error, retryCount }) {
      if (!isHTTPError(error)) return retryCount < TRIES_TO_REACH ? undefined : false;
      explainPause(error.response);
      return undefined;
    },
  },
};

export class Documents {
  readonly #origin: string;
  readonly #url: string;
  readonly #http: KyInstance;
  /** What to do where the token is refused. */
  readonly #advice: string;

  /** @param collection The collection of all documents; `default` without it. */
  constructor(origin: string, token: string, collection?: string) {
    this.#origin = origin;
    const path = collection === undefined ? "documents" : `collections/${collection}/documents`;
    this.#url = `${origin}/api/v1/admin/${path}`;
    this.#advice = token === process.env.BELAY_TOKEN ? environmentAdvice(origin) : "";
    this.#http = ky.create({ ...REQUESTS, headers: { authorization: `Bearer ${token}` } });
  }

  /** All stored documents, by their ids. */
  async entries(): Promise<Map<string, Entry>> {
    const entries = new Map<string, Entry>();
    let after: string | null = "";
    do {
      const path: string = `?limit=${PAGE}&after=${encodeURIComponent(after)}`;
      const page: v.InferOutput<typeof Page> = await this.#call("GET", path, Page);
      for (const entry of page.documents) entries.set(entry.id, entry);
      after = page.after;
    } while (after !== null);
    return entries;
  }

  async first(): Promise<Entry | undefined> {
    return (await this.#call("GET", "?limit=1", Page)).documents[0];
  }

  /** Returns the number of passages. Throws Refused. */
  async put(id: string, content: Content): Promise<number> {
    return (await this.#call("PUT", `/${encodeURIComponent(id)}`, Put, content)).passages;
  }

  /** Succeeds also if there is no such document. */
  async delete(id: string): Promise<void> {
    await this.#send("DELETE", `/${encodeURIComponent(id)}`);
  }

  async #call<const Schema extends v.GenericSchema>(
    method: string,
    path: string,
    schema: Schema,
    content?: Content,
  ): Promise<v.InferOutput<Schema>> {
    const answer = v.safeParse(schema, jsonOf(await this.#send(method, path, content)));
    if (answer.success) return answer.output;
    throw new Failure("This is not a Belay server. Check the address.");
  }

  async #send(method: string, path: string, json?: Content): Promise<string> {
    try {
      return await this.#http(this.#url + path, { method, json }).text();
    } catch (error) {
      if (!isHTTPError(error)) throw unreachable(this.#origin, error);
      const { status } = error.response;
      if (method === "DELETE" && status === 404) return "";
      // The first document makes the collection.
      if (method === "GET" && status === 404) return JSON.stringify(NO_DOCUMENTS);
      if (method === "PUT" && REFUSES_THE_DOCUMENT.has(status)) throw new Refused(messageOf(error));
      const advice = FORBIDDEN.has(status) ? this.#advice : "";
      throw new Failure(`The server refuses: ${messageOf(error)}${advice}`);
    }
  }
}

/** A user's token may have been set for the other commands. */
function environmentAdvice(origin: string): string {
  const instead = isLocal(origin)
    ? "`unset BELAY_TOKEN`, and the command signs one itself."
    : "Set it to an operator's.";
  return ` The bearer token is that of BELAY_TOKEN. ${instead}`;
}

function explainPause({ status, headers }: Response): void {
  const seconds = Math.min(Number(headers.get("retry-after")), PAUSE_MS_MAX / 1_000);
  if (!RETRIED.includes(status) || !(seconds > SILENT_SECONDS_MAX)) return;
  console.error(`The server is busy (${status}). Trying again in ${seconds} s.`);
}

/** The message of the server, or the answer of a proxy. */
function messageOf({ response, data }: HTTPError): string {
  const refusal = v.safeParse(Refusal, typeof data === "string" ? jsonOf(data) : data);
  const message = refusal.success ? refusal.output.message : `${response.status} ${data ?? ""}`;
  return printable(message.trim(), MESSAGE_LENGTH_MAX);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Undefined matches no schema.
    return undefined;
  }
}
