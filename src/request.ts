// Reading requests: a body within limits of bytes and time,
// and checks that turn it, a parameter or a name into a type
// that cannot be wrong. Each route knows its own fields.

import * as v from "valibot";
import { ServiceError } from "./errors.ts";

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json$/;
/** How `fetch` sends a string without a type. */
const NO_TYPE = /^(?:text\/plain)?$/;

interface Limits {
  readonly bytesMax: number;
  readonly timeoutMs: number;
  /**
   * Accepts JSON without a type or as `text/plain`,
   * which any site's page can send: only after a token
   * or edge/cookie-session.ts has ruled those pages out.
   */
  readonly untyped?: boolean;
  /** What to do with another type. */
  readonly hint?: string;
}

/**
 * The parsed JSON body of a request. Throws
 * UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE (counted while
 * reading: the length may be missing or wrong), REQUEST_TIMEOUT,
 * and INVALID_REQUEST if the body is not UTF-8 or not JSON.
 */
export async function readJson(request: Request, limits: Limits): Promise<unknown> {
  const type = mediaType(request);
  if (!JSON_TYPE.test(type) && !(limits.untyped && NO_TYPE.test(type))) {
    const message = "Send the body as JSON, with the header Content-Type: application/json.";
    const { hint } = limits;
    throw new ServiceError("UNSUPPORTED_MEDIA_TYPE", hint ? `${message} ${hint}` : message);
  }
  const text = decoded(await readBytes(request, limits));
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ServiceError("INVALID_REQUEST", "The body must be one JSON value.", { cause });
  }
}

/** The body as text. Throws as `readJson` does. */
export async function readText(
  request: Request,
  wanted: string,
  limits: Omit<Limits, "untyped">,
): Promise<string> {
  if (mediaType(request) !== wanted) {
    const message = `Send the header Content-Type: ${wanted}.`;
    throw new ServiceError("UNSUPPORTED_MEDIA_TYPE", message);
  }
  return decoded(await readBytes(request, limits));
}

/** The media type, without its parameters. */
export function mediaType({ headers }: Request): string {
  const [name = ""] = (headers.get("content-type") ?? "").split(";", 1);
  return name.trim().toLowerCase();
}

function decoded(bytes: Uint8Array): string {
  try {
    // request.text() would silently replace bad bytes with U+FFFD.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch (cause) {
    throw new ServiceError("INVALID_REQUEST", "The body must be UTF-8.", { cause });
  }
}

async function readBytes(request: Request, { bytesMax, timeoutMs }: Limits): Promise<Uint8Array> {
  const tooLarge = () =>
    new ServiceError("PAYLOAD_TOO_LARGE", `The body must be at most ${bytesMax} bytes long.`);
  if (Number(request.headers.get("content-length")) > bytesMax) throw tooLarge();
  if (request.body === null) return new Uint8Array();

  const reader = (request.body as ReadableStream<Uint8Array>).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  let isLate = false;
  // What is not needed may fail to be cancelled: that changes nothing.
  const cancel = () => reader.cancel().catch(() => {});
  const timer = setTimeout(() => {
    isLate = true;
    cancel();
  }, timeoutMs);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.byteLength;
      if (length > bytesMax) throw tooLarge();
      parts.push(value);
    }
    // What is cancelled ends, or breaks off.
    if (isLate) throw tooSlow(timeoutMs);
  } catch (thrown) {
    cancel();
    if (isLate) throw tooSlow(timeoutMs);
    if (thrown instanceof ServiceError) throw thrown;
    throw new ServiceError("INVALID_REQUEST", "The body broke off. Send it again.", {
      cause: thrown,
    });
  } finally {
    clearTimeout(timer);
  }

  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

function tooSlow(timeoutMs: number): ServiceError {
  const message = `The body took longer than ${timeoutMs} ms. Send it again.`;
  return new ServiceError("REQUEST_TIMEOUT", message);
}

/**
 * Throws UNSUPPORTED_MEDIA_TYPE for a compressed
 * body before reading it: a few hundred
 * kilobytes can unpack to hundreds of megabytes.
 */
export function refuseCompressed(request: Request): void {
  const codings = (request.headers.get("content-encoding") ?? "").split(",");
  if (codings.every((coding) => /^(?:identity)?$/i.test(coding.trim()))) return;
  throw new ServiceError(
    "UNSUPPORTED_MEDIA_TYPE",
    "Send the body uncompressed, without the header Content-Encoding.",
    { headers: { "accept-encoding": "identity" } },
  );
}

/**
 * The query string with the first value of each
 * name, which is the one that counts. itty-router
 * takes quadratic time for repeated names.
 */
export function withoutRepeats(parameters: URLSearchParams): string {
  const first = new Map<string, string>();
  for (const [name, value] of parameters) if (!first.has(name)) first.set(name, value);
  return new URLSearchParams([...first]).toString();
}

/** The first cookie with this name. */
export function cookieOf(request: Request, name: string): string | undefined {
  const prefix = `${name}=`;
  // trim() removes more spaces than browsers do: a cookie whose
  // name begins with one of those is not bound to this host.
  const cookies = (request.headers.get("cookie") ?? "").split(/;[ \t]*/);
  return cookies.find((text) => text.startsWith(prefix))?.slice(prefix.length);
}

/** The value by the schema, or INVALID_REQUEST for its first wrong field. */
export function check<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
): v.InferOutput<Schema> {
  // To valibot an array is an object too.
  const checked = Array.isArray(value) ? undefined : value;
  // Only the first issue is reported, so do not look for more.
  const result = v.safeParse(schema, checked, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = v.getDotPath(issue)?.slice(0, 100);
  const known = "entries" in schema ? Object.keys(schema.entries as object) : [];
  throw new ServiceError("INVALID_REQUEST", explain(issue, field, known), {
    ...(field !== undefined && { openai: { param: field } }),
  });
}

function explain(
  issue: v.BaseIssue<unknown>,
  field: string | undefined,
  known: readonly string[],
): string {
  if (field === undefined) return "The body must be a JSON object.";
  if (issue.type === "strict_object" && issue.expected === "never") {
    return `Unknown field "${field}": remove it. The fields of the body are ${known.join(", ")}.`;
  }
  if (issue.type.endsWith("object") && issue.received === "undefined") {
    return `The field "${field}" is missing.`;
  }
  // Our rules follow the field's name.
  // valibot's would repeat the input.
  const type = issue.expected === null ? "another type" : `type ${issue.expected}`;
  const rule = issue.message.startsWith("Invalid ") ? `must be of ${type}` : issue.message;
  return `The field "${field}" ${rule}.`;
}

type Lengths = { readonly minLength: number; readonly maxLength: number };

/** Well-formed text of `min` to `max` code points. */
export function textOf(min: number, max: number) {
  return v.pipe(v.string(), ...textRules(min, max));
}

/** The rules of `textOf`, for a text that is changed before they hold. */
export function textRules(min: number, max: number) {
  const rule = `must be ${min === 0 ? "at most" : `${min} to`} ${max} characters long`;
  return [
    v.check<string, string>(
      (text) => text.isWellFormed(),
      "must be well-formed Unicode, without lone surrogates",
    ),
    v.check<string, string>((text) => {
      // A code point has one or two units:
      // most lengths need no counting.
      if (text.length < min || text.length > 2 * max) return false;
      const length = text.length <= max ? text.length : [...text].length;
      return length >= min && length <= max;
    }, rule),
    // For src/openapi. JSON Schema counts code points too.
    v.metadata<string, Lengths>({ minLength: min, maxLength: max }),
  ] as const;
}

/** A user's or document's name: 1 to 128 code points, no controls. */
export function isName(value: unknown): value is string {
  if (typeof value !== "string" || !value.isWellFormed() || /\p{Cc}/u.test(value)) return false;
  const length = [...value].length;
  return length >= 1 && length <= 128;
}

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number) {
  const rule = `must be a whole number from ${min} to ${max}`;
  return v.pipe(v.number(), v.integer(rule), v.minValue(min, rule), v.maxValue(max, rule));
}

/** A query parameter from `min` to `max`, or INVALID_REQUEST. */
export function wholeParameter(
  parameters: URLSearchParams,
  name: string,
  { byDefault, min, max }: { byDefault: number; min: number; max: number },
): number {
  const text = parameters.get(name) ?? `${byDefault}`;
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw wrongParameter(name, `a whole number from ${min} to ${max}`);
}

export function wrongParameter(name: string, rule: string): ServiceError {
  const message = `The parameter "${name}" must be ${rule}.`;
  return new ServiceError("INVALID_REQUEST", message, { openai: { param: name } });
}

/** Decodes a path parameter once; itty-router does not. Throws NOT_FOUND. */
export function decodeParameter(parameter: string): string {
  try {
    return decodeURIComponent(parameter);
  } catch (cause) {
    throw new ServiceError("NOT_FOUND", "There is nothing at this address.", { cause });
  }
}
