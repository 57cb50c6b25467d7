// Limits of many users at once, from a CSV file (RFC 4180). Each line is one
// change of one user's settings.

import { bodyTimeoutMs } from "../config.ts";
import { ServiceError } from "../errors.ts";
import { CHANGE_HEADER, json } from "../formats/json.ts";
import { API_PREFIX, encodeJson } from "../protocol.ts";
import { readText, refuseCompressed } from "../request.ts";
import { type Env, userStub } from "../wiring.ts";
import { isUserId } from "./authentication.ts";
import { headersFor, send } from "./forward.ts";

/** Each line is a request of the Worker's own: Cloudflare allows 1,000. */
const LINES_MAX = 500;
const BODY_BYTES_MAX = 512 * 1024; /* 512 KiB */
/** Users that are changed at a time. */
const AT_ONCE = 6;
const COLUMNS = ["user", "limit", "refundLimit", "blocked"] as const;

type Column = (typeof COLUMNS)[number];

/** Lines of the file are counted from 1. */
interface Row {
  readonly line: number;
  readonly fields: readonly string[];
}

interface Change {
  readonly line: number;
  readonly values: Readonly<Partial<Record<Column, string>>>;
}

interface Refused {
  readonly line: number;
  readonly user: string;
  readonly message: string;
}

export async function changeLimits(request: Request, env: Env): Promise<Response> {
  refuseCompressed(request);
  const limits = { bytesMax: BODY_BYTES_MAX, timeoutMs: bodyTimeoutMs(env) };
  const changes = changesOf(await readText(request, "text/csv", limits));
  const refused: Refused[] = [];
  // Of several lines of one user, the last one counts.
  const byUser = Map.groupBy(changes, ({ values }) => values.user).values();
  const work = async () => {
    for (const ofUser of byUser) {
      for (const { line, values } of ofUser) {
        const message = await change(values, request, env);
        if (message !== undefined) refused.push({ line, user: values.user ?? "", message });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  refused.sort((a, b) => a.line - b.line);
  const changed = changes.length - refused.length;
  const response = json({ changed, refused });
  response.headers.set(CHANGE_HEADER, encodeJson({ changed, refused: refused.length }));
  return response;
}

/** Why it was refused; undefined if it was not. */
async function change(
  values: Change["values"],
  request: Request,
  env: Env,
): Promise<string | undefined> {
  const { user = "" } = values;
  if (!isUserId(user)) return "No user can have this name.";
  try {
    const body = JSON.stringify(settingsOf(values));
    const headers = headersFor(request, { userId: user });
    headers.set("content-type", "application/json");
    const path = `${API_PREFIX}/admin/users/${encodeURIComponent(user)}`;
    const response = await send(userStub(env, user), path, { method: "PATCH", headers, body });
    const answer = await response.json<{ message?: string }>();
    return response.ok ? undefined : (answer.message ?? `Status ${response.status}.`);
  } catch (thrown) {
    return thrown instanceof ServiceError ? thrown.message : "The user could not be reached.";
  }
}

/** An empty field leaves the setting as it is, and `null` removes it. */
function settingsOf({ limit = "", refundLimit = "", blocked = "" }: Change["values"]): object {
  // What is no number is sent as it is, so that the user's object refuses it.
  const number = (text: string) =>
    text === "null" ? null : /^\d{1,15}$/.test(text) ? Number(text) : text;
  return {
    ...(limit !== "" && { limit: number(limit) }),
    ...(refundLimit !== "" && { refundLimit: number(refundLimit) }),
    ...(blocked !== "" && { blocked: blocked === "true" || (blocked !== "false" && blocked) }),
  };
}

function changesOf(text: string): Change[] {
  const [header, ...rows] = rowsOf(text);
  const columns = header?.fields.map((name) => name.trim()) ?? [];
  const twice = columns.find((name, at) => columns.indexOf(name) !== at);
  if (twice !== undefined) {
    throw invalid(`The first line names the column "${twice.slice(0, 40)}" twice.`);
  }
  const unknown = columns.find((name) => !(COLUMNS as readonly string[]).includes(name));
  if (unknown !== undefined || !columns.includes("user") || columns.length < 2) {
    throw invalid(
      `The first line must name the columns: user, and limit, refundLimit or blocked${unknown === undefined ? "" : `, and not "${unknown.slice(0, 40)}"`}.`,
    );
  }
  if (rows.length > LINES_MAX) {
    throw invalid(`At most ${LINES_MAX} users may be changed at once. Send several files.`);
  }
  const wrong = rows.find(({ fields }) => fields.length !== columns.length);
  if (wrong !== undefined) {
    throw invalid(`Line ${wrong.line} must have ${columns.length} fields. Nothing was changed.`);
  }
  return rows.map(({ line, fields }) => {
    const values = columns.map((name, at) => {
      return [name, name === "user" ? fields[at] : fields[at]?.trim()];
    });
    return { line, values: Object.fromEntries(values) };
  });
}

/** An empty line is none. A quoted field may have several lines. */
function rowsOf(text: string): Row[] {
  const rows: Row[] = [];
  let [start, line] = [1, 1];
  let row: string[] = [];
  const fields = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|\r|$)/y;
  fields.lastIndex = text.startsWith("\ufeff") ? 1 : 0;
  while (fields.lastIndex < text.length || row.length > 0) {
    const match = fields.exec(text);
    if (match === null) throw invalid(`Line ${line} has a quote in the wrong place.`);
    const [whole, quoted, plain = "", end] = match;
    row.push(quoted?.replaceAll('""', '"') ?? plain);
    line += whole.match(/\r?\n|\r/g)?.length ?? 0;
    if (end === ",") continue;
    if (row.length > 1 || row[0] !== "") rows.push({ line: start, fields: row });
    [row, start] = [[], line];
  }
  return rows;
}

function invalid(message: string): ServiceError {
  return new ServiceError("INVALID_REQUEST", message);
}
