// The parameters of a request, in the form that the model accepts.
// Models refuse what others need: newer OpenAI models take no
// `max_tokens` and `temperature`, Gemma's template has no system role.
// Refusals are remembered for this isolate, by the model's address and
// name.

import type { Message, Prompt } from "../answer/generator.ts";
import type { Refusal } from "./refusal.ts";

export interface Form {
  /** The name of the limit; undefined if the model accepts none. */
  readonly limit: "max_tokens" | "max_completion_tokens" | undefined;
  readonly stream: boolean;
  /** Whether a stream may be asked to count tokens. */
  readonly usage: boolean;
  readonly temperature: boolean;
  readonly reasoningEffort: boolean;
  readonly systemRole: boolean;
}

const USUAL: Form = {
  limit: "max_tokens",
  stream: true,
  usage: true,
  temperature: true,
  reasoningEffort: true,
  systemRole: true,
};
const MODELS_MAX = 100;
/** Adaptations of one ask: once per member of a form, twice for the limit. */
const ADAPTATIONS_MAX = 5;

const forms = new Map<string, Form>();

const REFUSED =
  /unsupported|not (?:be )?(?:supported|allowed|permitted|enabled|available|recogni[sz]ed)|n't (?:supported|support|allow)|not (?:support|allow|accept)|unrecogni[sz]ed|unknown|unexpected|extra|invalid (?:parameter|argument|field)|deprecated|instead/i;
const SYSTEM_REFUSED = [
  /(?:system|developer)['"`]?\s*(?:role|message|prompt|instruction)s?\b[^.]{0,60}\bnot\b/i,
  /(?:not|n't) support[^.]{0,40}['"`]?\b(?:system|developer)\b/i,
  /unsupported[^.]{0,40}['"`]?\b(?:system|developer)\b/i,
  /only ['"`]?user['"`]?,?(?: and)? ['"`]?(?:assistant|model)['"`]?[^.]{0,40}roles?/i,
  /unexpected role['"`\\ ]*(?:system|developer)/i,
  /first message must[^.]{0,20}\buser\b/i,
  /roles must alternate/i,
];

/** An answer, or a refusal with the error to throw if no other form helps. */
type Attempt<Answer> =
  | { readonly answer: Answer }
  | { readonly refusal: Pick<Refusal, "status" | "words" | "param">; readonly error: unknown };

/**
 * Asks a model, and again without each parameter that it refuses.
 * Remembers the form that it accepts. `model`: its address and name.
 */
export async function inItsForm<Answer>(
  model: string,
  attempt: (form: Form) => Promise<Attempt<Answer>>,
): Promise<Answer> {
  let form = forms.get(model) ?? USUAL;
  for (let adaptations = 0; ; adaptations += 1) {
    const attempted = await attempt(form);
    if ("answer" in attempted) {
      if (adaptations > 0 && remember(model, form)) {
        console.warn("The model refuses parameters, and is asked with:", differences(form));
      }
      return attempted.answer;
    }
    const next = adaptations < ADAPTATIONS_MAX ? adapted(form, attempted.refusal) : undefined;
    if (next === undefined) throw attempted.error;
    form = next;
  }
}

/** True if the form is new. */
function remember(model: string, form: Form): boolean {
  if (forms.get(model) === form || form === USUAL) return false;
  const [oldest] = forms.keys();
  if (forms.size >= MODELS_MAX && oldest !== undefined) forms.delete(oldest);
  forms.set(model, form);
  return true;
}

/** The form without the refused parameter; undefined if none was refused. */
function adapted(
  form: Form,
  { status, param, words }: Pick<Refusal, "status" | "words" | "param">,
): Form | undefined {
  if ([401, 402, 403, 404, 408, 429].includes(status)) return undefined;
  const isAbout = (name: string) =>
    param === name || new RegExp(`(?<![\\w.])${name}(?![\\w.])`).test(words);
  // A server error may quote the request. Only a template error names a role.
  const isRefused = status < 500 && REFUSED.test(words);
  if (form.limit !== undefined && isRefused && isAbout(form.limit)) {
    return { ...form, limit: form.limit === "max_tokens" ? "max_completion_tokens" : undefined };
  }
  if (form.usage && isRefused && isAbout("stream_options")) return { ...form, usage: false };
  // OpenAI refuses streams to unverified organizations.
  if (form.stream && isRefused && param === "stream") return { ...form, stream: false };
  if (form.temperature && status < 500 && isAbout("temperature"))
    return { ...form, temperature: false };
  if (form.reasoningEffort && isRefused && isAbout("reasoning_effort")) {
    return { ...form, reasoningEffort: false };
  }
  const isOfRole = /^(?:messages\b.*)?role$/.test(param);
  if (form.systemRole && (isOfRole || SYSTEM_REFUSED.some((pattern) => pattern.test(words)))) {
    return { ...form, systemRole: false };
  }
  return undefined;
}

/** The members of a request. */
export function parametersOf(
  { messages, maxTokens, temperature, isWhole = false, isCounted = false }: Prompt,
  form: Form,
): Record<string, unknown> {
  const streams = form.stream && !isWhole;
  return {
    messages: form.systemRole ? messages : withoutSystem(messages),
    ...(streams && { stream: true }),
    ...(streams && isCounted && form.usage && { stream_options: { include_usage: true } }),
    ...(form.limit !== undefined && { [form.limit]: maxTokens }),
    ...(form.temperature && temperature !== undefined && { temperature }),
  };
}

/** What a form omits or renames, for the log. */
function differences(form: Form): string {
  return [
    form.limit === "max_completion_tokens" ? "max_completion_tokens for max_tokens" : "",
    form.limit === undefined ? "no limit" : "",
    form.stream ? "" : "no stream",
    form.usage ? "" : "no stream_options",
    form.temperature ? "" : "no temperature",
    form.reasoningEffort ? "" : "no reasoning_effort",
    form.systemRole ? "" : "the system message in the first question",
  ]
    .filter((words) => words !== "")
    .join(", ");
}

/** Moves the system message into the first message of the user. */
function withoutSystem(messages: readonly Message[]): Message[] {
  const system = messages.filter(({ role }) => role === "system").map(({ content }) => content);
  const others = messages.filter(({ role }) => role !== "system");
  const first = others.findIndex(({ role }) => role === "user");
  return others.map((message, index) =>
    index === first ? { ...message, content: [...system, message.content].join("\n\n") } : message,
  );
}
