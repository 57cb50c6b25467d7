// How the pages of a deployment show themselves: the variables PAGE_…, and the
// operator's own example questions.

import {
  generatorConfig,
  invalid,
  isFetchable,
  list,
  text,
  type VariableName,
  type Variables,
} from "../config.ts";
import { json } from "../formats/json.ts";
import { kept } from "../kept.ts";
import type { Examples, PageIdentity } from "../protocol.ts";
import { sessionSecrets } from "./signing.ts";

const TITLE_MAX = 80;
const GREETING_MAX = 300;
const QUESTION_MAX = 200;
const QUESTIONS_MAX = 6;
const URL_MAX = 2_000;

/** Throws UNAVAILABLE if a variable is wrong. */
export const pageIdentity = kept(
  (env: Variables): PageIdentity => ({
    title: line(env, "PAGE_TITLE", TITLE_MAX),
    accent: accent(env),
    greeting: line(env, "PAGE_GREETING", GREETING_MAX),
    signInUrl: signInUrl(env),
    anonymous: sessionSecrets(env) !== undefined,
    answers: generatorConfig(env).kind === "extractive" ? "quotes" : "model",
  }),
);

/** Empty: the documents suggest the examples. Throws UNAVAILABLE. */
export const ownQuestions = kept((env: Variables): readonly string[] => {
  const questions = list(env, "EXAMPLE_QUESTIONS", "|").filter((question) => question !== "");
  if (questions.length > QUESTIONS_MAX || !questions.every((one) => isLine(one, QUESTION_MAX))) {
    throw invalid(
      "EXAMPLE_QUESTIONS",
      `must be at most ${QUESTIONS_MAX} questions with | between, each one line of at most ${QUESTION_MAX} characters`,
    );
  }
  return questions;
});

/** The documents' examples, or the operator's own if there is a document. */
export async function withOwnQuestions(response: Response, env: Variables): Promise<Response> {
  const questions = ownQuestions(env);
  if (questions.length === 0 || !response.ok) return response;
  const { empty } = await response.json<Examples>();
  return json({ empty, questions: empty ? [] : questions } satisfies Examples);
}

function line(env: Variables, name: VariableName, max: number): string | null {
  const value = text(env, name)?.trim() ?? "";
  if (value === "") return null;
  if (!isLine(value, max)) throw invalid(name, `must be one line of at most ${max} characters`);
  return value;
}

function isLine(value: string, max: number): boolean {
  return value.isWellFormed() && !/[\p{Cc}\u2028\u2029]/u.test(value) && [...value].length <= max;
}

/** As `#rrggbb`. */
function accent(env: Variables): string | null {
  const value = text(env, "PAGE_ACCENT")?.trim().toLowerCase();
  if (value === undefined) return null;
  if (/^#[\da-f]{6}$/.test(value)) return value;
  if (/^#[\da-f]{3}$/.test(value)) return value.replaceAll(/[\da-f]/g, "$&$&");
  throw invalid("PAGE_ACCENT", "must be a colour such as #b83a0b, with three or six digits");
}

function signInUrl(env: Variables): string | null {
  const value = text(env, "PAGE_SIGN_IN_URL")?.trim();
  if (value === undefined) return null;
  const url = URL.parse(value);
  if (url === null || !isFetchable(url) || url.href.length > URL_MAX) {
    throw invalid(
      "PAGE_SIGN_IN_URL",
      `must be an http or https URL of at most ${URL_MAX} characters, without a password in it`,
    );
  }
  return url.href;
}
