// The flags of `npm start` and `npm run serve`.

import { resolve } from "node:path";
import type { VariableName } from "../src/config.ts";
import { PROJECT, UsageError } from "./command.ts";
import { flags, wholeNumber } from "./flags.ts";
import { isVariable, meantName, misnamed } from "./variable-names.ts";

export interface ServerFlags {
  /** 0 lets the system choose a free one. */
  readonly port: number;
  readonly persistTo: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** Names by which only this machine reaches the server. */
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/** The form of a variable's name. */
const NAME = /^[A-Z_]\w*$/i;

/** A name in any script, or an address, IPv6 in brackets. */
const HOST_NAME = /^(?:[\p{L}\p{M}\p{N}._-]+|\[[\da-f:.]+\])$/iu;

export function serverFlags(about: string, persistTo: string): ServerFlags {
  const values = flags(
    {
      port: { type: "string", default: "8787" },
      host: { type: "string", multiple: true, default: [] },
      "persist-to": { type: "string", default: persistTo },
      var: { type: "string", multiple: true, default: [] },
    },
    `${about}

  --port N            where to listen on 127.0.0.1 (8787; 0 lets the system choose)
  --host NAME         answers also to requests for this host, such as belay.example.com,
                      which a reverse proxy passes on; may be repeated. Always:
                      ${LOOPBACK.join(", ")}
  --persist-to DIR    the folder of users and documents, relative to the project
                      (${persistTo})
  --var NAME:VALUE    sets a variable for this run, before wrangler.toml and .dev.vars;
                      may be repeated. docs/configuration.md lists them all

SIGINT (Ctrl-C) or SIGTERM ends it and all its processes, with exit code 0. Exit code 1: it
could not start, or ended by itself. Exit code 2: wrong flags.`,
  );
  const hosts = [...LOOPBACK, ...values.host.map(hostName)];
  return {
    port: wholeNumber("--port", values.port, 0, 65_535),
    persistTo: resolve(PROJECT, nonEmpty("--persist-to", values["persist-to"])),
    variables: { ...variables(values.var), ALLOWED_HOSTS: hosts.join(",") },
  };
}

/** In lower case, and in Punycode, as browsers send it. */
function hostName(text: string): string {
  const url = HOST_NAME.test(text) ? URL.parse(`http://${text}`) : null;
  if (url === null) {
    throw new UsageError("--host must be a name without a port, such as belay.example.com.");
  }
  return url.hostname;
}

function nonEmpty(flag: string, text: string): string {
  if (text === "") throw new UsageError(`${flag} must not be empty.`);
  return text;
}

function variables(typed: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const text of typed) {
    const [name, value] = variable(text);
    if (name in values)
      throw new UsageError(`--var ${name} is given twice: leave one of them out.`);
    values[name] = value;
  }
  return values;
}

/**
 * The value may be empty, which means not set, and may
 * contain colons. It is never shown: it may be a secret.
 */
function variable(text: string): [name: VariableName, value: string] {
  const [, name, mark, value] = /^([^:=]+)([:=])(.*)$/s.exec(text) ?? [];
  // Other text may be a secret: show it only if a name is near.
  if (name === undefined || value === undefined || !(NAME.test(name) || meantName(name))) {
    throw new UsageError("--var must be NAME:VALUE, such as QUOTA_LIMIT:5.");
  }
  if (name === "ALLOWED_HOSTS") {
    throw new UsageError("--var ALLOWED_HOSTS is set by this command itself: use --host NAME.");
  }
  if (!isVariable(name)) throw new UsageError(`--var ${misnamed(name)}`);
  if (mark === "=") {
    throw new UsageError(`--var must be NAME:VALUE, with a colon: write --var ${name}:VALUE.`);
  }
  return [name, value];
}
