// The operators' log: the directory notes each change after an operator made
// it. If the directory cannot be reached, the Worker's own log has the entry,
// and the change stays.

import { answeredIn } from "../deadline.ts";
import { reasonOf } from "../errors.ts";
import { CHANGE_HEADER } from "../formats/json.ts";
import { API_PREFIX, encodeJson } from "../protocol.ts";
import { decodeParameter } from "../request.ts";
import { directoryStub, type Env, userStub } from "../wiring.ts";

/** How long a response waits for its entry, in milliseconds. */
const NOTE_MS = 2_000;

/** An operator's route that has answered. */
export interface Answered {
  readonly operator: string;
  /** With named parameters. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
}

/** The response, once its entry is noted, if it is the response to a change. */
export async function noted(
  { operator, path, params }: Answered,
  request: Request,
  env: Env,
  response: Response,
): Promise<Response> {
  const isRead = /^(GET|HEAD)$/.test(request.method);
  // An import that failed halfway has changed something too.
  if (isRead || !(response.ok || response.headers.has(CHANGE_HEADER))) return response;
  const { userId, ...others } = decoded(params);
  const isErasure = userId !== undefined && request.method === "DELETE";
  const entry = {
    at: Date.now(),
    operator,
    action: `${request.method} ${path.slice(API_PREFIX.length)}`,
    // The name of an erased user must not stay here.
    target: isErasure ? null : (userId ?? (Object.values(others).join("/") || null)),
    user: userId === undefined ? null : userStub(env, userId).id.toString(),
    status: response.status,
    change: changeOf(response, userId === undefined ? {} : others),
  };
  try {
    const directory = directoryStub(env);
    if (directory !== undefined) await answeredIn(NOTE_MS, async () => directory.note(entry));
  } catch (thrown) {
    const line = encodeJson({ event: "operator", ...entry });
    console.error(`The directory has no entry of a change: ${reasonOf(thrown)}`, line);
  }
  if (!response.headers.has(CHANGE_HEADER)) return response;
  const shown = new Response(response.body, response);
  shown.headers.delete(CHANGE_HEADER);
  return shown;
}

function decoded(params: Answered["params"]): Record<string, string> {
  const entries = Object.entries(params).map(([name, value]) => [name, decodeParameter(value)]);
  return Object.fromEntries(entries);
}

/** What the object says that was set, or the other parameters of the path. */
function changeOf({ headers }: Response, others: Record<string, string>): string | null {
  const set = headers.get(CHANGE_HEADER);
  if (set !== null) return set;
  return Object.keys(others).length === 0 ? null : encodeJson(others);
}
