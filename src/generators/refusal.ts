// A model server's refusal, read from the response body. Its message
// may repeat the question, the prompt or the key: only short names
// leave this file. Pure.

export interface Refusal {
  readonly status: number;
  /** The body. It decides, but never reaches the log or a user. */
  readonly words: string;
  readonly code: string;
  readonly type: string;
  readonly param: string;
}

const WORDS_LENGTH_MAX = 16 * 1024;

export function readRefusal(status: number, body: string): Refusal {
  const error = errorIn(body);
  const text = (value: unknown) =>
    typeof value === "string" || typeof value === "number" ? String(value) : "";
  return {
    status,
    words: body.slice(0, WORDS_LENGTH_MAX),
    code: text(error.code),
    // Gemini calls it a status.
    type: text(error.type) || text(error.status),
    param: text(error.param),
  };
}

/** No sentence and no key: no space, no long number. */
const NAME = /^(?!.*\d{4})[A-Za-z][\w.[\]-]{1,47}$|^\d{1,4}$/;
/**
 * The words of API names. They reveal nothing, even if the question has
 * them.
 */
const WORDS = new Set(
  (
    "access account allowed api argument authentication authorization bad balance billing blocked body " +
    "capacity completion content context count credits deactivated denied disabled error exceeded " +
    "exhausted expired failed field filter for forbidden format found gateway hard id in input " +
    "insufficient internal invalid is key large length limit long max maximum message messages " +
    "method missing model name no not of options organization output overloaded parameter params " +
    "payment permission policy project prompt quota rate reached reasoning effort region request " +
    "required resource response role server service size status stop stream string system " +
    "temperature time timeout token tokens too tool tools top top_p type unauthenticated unauthorized " +
    "unavailable unexpected unknown unprocessable entity unrecognized unsupported upstream usage user " +
    "validation value violation"
  ).split(" "),
);

/**
 * The refusal in names, for the log. A name with a word of what was
 * `sent` may repeat the question or the key: it is omitted, except for
 * an API's own words.
 */
export function refusalInNames({ status, code, type, param }: Refusal, sent: string): string {
  const told = sent.toLowerCase();
  const isShown = (name: string) =>
    NAME.test(name) && wordsOf(name).every((word) => isOfAnApi(word) || !told.includes(word));
  const names = Object.entries({ code, type, param }).filter(([, name]) => isShown(name));
  return [`HTTP ${status}`, ...names.map(([key, name]) => `${key}=${name}`)].join(", ");
}

function wordsOf(name: string): readonly string[] {
  const apart = name.replace(/([a-z])(?=[A-Z])/g, "$1_").toLowerCase();
  return apart.match(/^\d+$|[a-z]+/g) ?? [];
}

function isOfAnApi(word: string): boolean {
  return WORDS.has(word) || word.length === 1 || /^[1-5]\d\d$/.test(word);
}

/** What happened and what to do, for the user. */
export function refusalMessage({ status, code, type, words }: Refusal): string {
  const how = `(HTTP ${status})`;
  const operator =
    "You were not charged. The operator of this service must fix this; trying again does not help.";
  const says = (pattern: RegExp) => pattern.test(code) || pattern.test(type);
  if (status === 402 || says(/insufficient_quota|billing|credit|balance|payment/i)) {
    return `The operator's account with the model is used up ${how}. ${operator}`;
  }
  if (status === 429 || status === 503 || status === 529) {
    return `The model is busy ${how}. You were not charged; ask again in a moment.`;
  }
  const isKey = says(/api_?key|auth|permission/i) || (status === 400 && /api[ _]key/i.test(words));
  if (status === 401 || status === 403 || isKey) {
    return `The model refused the operator's key ${how}. ${operator}`;
  }
  if (status === 404 || says(/not_?found/i)) return `The model was not found ${how}. ${operator}`;
  if (status === 413 || says(/context_length|too_long|string_above_max/i)) {
    return `The question is too long for the model ${how}. You were not charged; ask again with less history or a smaller topK.`;
  }
  if (status >= 500) return `The model failed ${how}. You were not charged; ask again in a moment.`;
  return `The model refused the request ${how}. You were not charged. If this continues, tell the operator of this service.`;
}

/** The error in the forms of OpenAI, vLLM, FastAPI and Gemini (a list). */
function errorIn(body: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return {};
  }
  if (Array.isArray(value)) [value] = value;
  const members = (value ?? {}) as Record<string, unknown>;
  if (typeof members !== "object") return {};
  for (const name of ["error", "detail"]) {
    const inner = Array.isArray(members[name]) ? members[name][0] : members[name];
    if (typeof inner !== "object" || inner === null) continue;
    // FastAPI names the place: ["body", "temperature"].
    const place = (inner as { loc?: unknown }).loc;
    return { ...inner, ...(Array.isArray(place) && { param: place.at(-1) }) };
  }
  return members;
}
