// What a deployment consists of, read from wrangler.toml: its bindings, its
// variables, and the secrets that these variables need. Pure.

import {
  BINDINGS,
  SECRETS,
  type SecretName,
  VARIABLES,
  type VariableName,
} from "../../src/config.ts";
import { Failure } from "../command.ts";
import type { Configuration } from "../configuration.ts";
import { isVariable, misnamed } from "../variable-names.ts";
import type { Variables } from "../variables.ts";

export interface Plan {
  /** The name of the Worker. */
  readonly worker: string;
  readonly bindings: readonly string[];
  readonly variables: Variables;
  readonly needs: readonly Need[];
}

/** A secret that these variables use. */
export interface Need {
  readonly name: SecretName;
  /** Without it the Worker refuses every request. */
  readonly isRequired: boolean;
  readonly purpose: string;
}

/** The tables of wrangler.toml that declare something else than bindings. */
const NO_BINDINGS: ReadonlySet<string> = new Set(["migrations", "routes", "rules", "env", "build"]);

export function planOf(configuration: Configuration): Plan {
  const { vars, name } = configuration;
  const variables = Object.fromEntries(
    Object.entries(vars).map(([variable, value]) => [
      variable,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  const secret = SECRETS.find((one) => one in variables);
  if (secret !== undefined) {
    throw new Failure(
      `${secret} is a secret, and everyone who has wrangler.toml can read it there. Remove it from [vars], and make another: --help tells how secrets are given.`,
    );
  }
  const bindings = bindingsIn(configuration);
  return { worker: name, bindings, variables, needs: needsOf(variables) };
}

/** Sentences about variables that Belay does not read. */
export function unknownVariables({ variables }: Plan): string[] {
  const unknown = Object.keys(variables).filter((name) => !isVariable(name));
  return unknown.map((name) => `Set in wrangler.toml: ${misnamed(name)}`);
}

/** The bindings that Belay can use and wrangler.toml does not declare. */
export function undeclared({ bindings }: Plan): readonly (keyof typeof BINDINGS)[] {
  const known = Object.keys(BINDINGS) as (keyof typeof BINDINGS)[];
  // Of two with the same meaning, one is for another runtime.
  const meant = new Set(bindings.map((name) => BINDINGS[name as keyof typeof BINDINGS]));
  return known.filter((name) => !bindings.includes(name) && !meant.has(BINDINGS[name]));
}

export function defaults({ variables }: Plan): readonly VariableName[] {
  const isSecret = (name: VariableName) => (SECRETS as readonly VariableName[]).includes(name);
  return VARIABLES.filter((name) => !isSecret(name) && !(name in variables));
}

/** Names under `binding`, or under `name` in a list, whatever the table. */
function bindingsIn(configuration: Configuration): string[] {
  return Object.entries(configuration).flatMap(([key, value]) =>
    NO_BINDINGS.has(key) ? [] : namesIn(value),
  );
}

function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item) => (item?.binding ?? item?.name ?? []) as string | []);
  }
  if (typeof value !== "object" || value === null) return [];
  const { binding, bindings } = value as { binding?: string; bindings?: unknown };
  return [...(binding === undefined ? [] : [binding]), ...namesIn(bindings ?? [])];
}

function needsOf(variables: Variables): Need[] {
  const is = (name: VariableName, value: string) => variables[name] === value;
  const isSigned = !variables.AUTH_JWKS_URL;
  const isOpen = Number(variables.ANONYMOUS_LIMIT ?? 0) > 0;
  const reranks = is("RERANKER", "openai-compatible");
  const embeds = Boolean(variables.RETRIEVER) && !is("RETRIEVER", "full-text");
  const asksEndpoint =
    is("GENERATOR", "openai") ||
    (embeds && is("EMBEDDER", "openai")) ||
    (reranks && !variables.RERANKER_BASE_URL);
  const needs: (Need | false)[] = [
    isSigned && { name: "AUTH_SECRET", isRequired: true, purpose: "signs bearer tokens" },
    !isSigned &&
      isOpen && {
        name: "SESSION_SECRET",
        isRequired: false,
        purpose: "lets readers ask without a bearer token",
      },
    asksEndpoint && {
      name: "OPENAI_API_KEY",
      isRequired: false,
      purpose: "is the key for the endpoint of OPENAI_BASE_URL, if it needs one",
    },
    reranks && {
      name: "RERANKER_API_KEY",
      isRequired: false,
      purpose: "is the key for the endpoint that reranks, if it needs one",
    },
  ];
  return needs.filter((need) => need !== false);
}
