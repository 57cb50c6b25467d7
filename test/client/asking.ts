// Shared by the client's tests: a client with a faulty fetch, and a recorder of
// what an answer reports.

import {
  type Answer,
  type AnswerEvent,
  type BelayError,
  type Client,
  type ClientOptions,
  createClient,
  type Outcome,
} from "../../src/client/client.ts";
import type { Source } from "../../src/protocol.ts";
import { asOperator, type TestUser } from "../harness.ts";
import { type Fault, FaultyFetch } from "./faulty-fetch.ts";

/** A client without pauses between tries. */
export function clientOf(
  user: TestUser,
  { faults, seed, ...options }: Partial<ClientOptions> & { faults?: Fault[]; seed?: number } = {},
): { client: Client; net: FaultyFetch } {
  const net = new FaultyFetch(faults, seed);
  const client = createClient({
    url: "https://belay.test",
    token: user.token,
    fetch: net.fetch,
    backoff: (attempt) => (attempt > 5 ? undefined : 0),
    ...options,
  });
  return { client, net };
}

/** Records all calls of an answer's callbacks. */
export function recorder() {
  const tokens: string[] = [];
  const sources: (readonly Source[])[] = [];
  const outcomes: Outcome[] = [];
  const errors: BelayError[] = [];
  return {
    tokens,
    sources,
    outcomes,
    errors,
    callbacks: {
      onToken: (token: string) => void tokens.push(token),
      onSources: (found: readonly Source[]) => void sources.push(found),
      onDone: (outcome: Outcome) => void outcomes.push(outcome),
      onError: (error: BelayError) => void errors.push(error),
    },
  };
}

export async function eventsOf(answer: Answer): Promise<AnswerEvent[]> {
  const events: AnswerEvent[] = [];
  for await (const event of answer) events.push(event);
  return events;
}

/** The error of an answer that must not become whole. */
export async function errorOf(answer: Answer): Promise<BelayError> {
  return answer.done.then(
    ({ text }) => {
      throw new Error(`It became whole: ${text}`);
    },
    (error: BelayError) => error,
  );
}

/** Resolves once the answer has a token; rejects if it ends without. */
export async function firstToken(answer: Answer): Promise<void> {
  const ended = answer.done.then(() => true);
  while (answer.text === "") {
    if (await Promise.race([ended, scheduler.wait(2).then(() => false)])) return;
  }
}

/** Stores a document, so that answers have a source with Chinese text. */
export async function putDocument(): Promise<void> {
  const document = {
    title: "繩索",
    text: "# Belay\n\nBelay 保護 the climber. What does Belay do? 繩.",
  };
  const response = await asOperator("/admin/documents/rope", {
    method: "PUT",
    body: JSON.stringify(document),
  });
  if (!response.ok) throw new Error(await response.text());
}
