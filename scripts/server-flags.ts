// The flags of `npm start` and `npm run serve`.

import { isIP, isIPv6 } from "node:net";
import { resolve } from "node:path";
import { VARIABLES, type VariableName } from "../src/config.ts";
import { PROJECT, UsageError } from "./command.ts";
import type { Flag, ServerScript } from "./command-line.ts";
import { flags, wholeNumber } from "./flags.ts";
import { addressesFor, bracketed, LOOPBACK_ADDRESS } from "./machine.ts";
import { isVariable, meantName, misnamed } from "./variable-names.ts";

export interface ServerFlags {
  /** The address to listen on, without brackets. */
  readonly host: string;
  /** 0 lets the system choose a free one. */
  readonly port: number;
  /** By which names it may be asked, besides addresses. */
  readonly names: readonly string[];
  readonly persistTo: string;
  readonly variables: Readonly<Record<string, string>>;
  /** What was typed, without flags at their defaults. */
  readonly typed: readonly Flag[];
}

const DEFAULT_PORT = "8787";

/** Names by which only this machine reaches the server. */
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/** The form of a variable's name. */
const NAME = /^[A-Z_]\w*$/i;

/** A name in any script, or an address, IPv6 in brackets. */
const HOST_NAME = /^(?:[\p{L}\p{M}\p{N}._-]+|\[[\da-f:.]+\])$/iu;

export function serverFlags(script: ServerScript, about: string, persistTo: string): ServerFlags {
  const isServe = script === "serve";
  const values = flags(
    {
      port: { type: "string", default: DEFAULT_PORT },
      host: { type: "string", default: LOOPBACK_ADDRESS },
      name: { type: "string", multiple: true, default: [] },
      "persist-to": { type: "string", default: persistTo },
      var: { type: "string", multiple: true, default: [] },
      env: { type: "boolean", default: false },
    },
    `${about}

  --port N            where to listen (${DEFAULT_PORT}; 0 lets the system choose)
${isServe ? HOST_HELP : ""}  --name NAME         answers also to requests for this name, such as docs.example.com, which
                      a reverse proxy passes on; may be repeated. Always:
                      ${LOOPBACK.join(", ")}
  --persist-to DIR    the folder of users and documents, relative to the project
                      (${persistTo})
  --var NAME:VALUE    sets a variable for this run, before .dev.vars;
                      may be repeated. docs/configuration.md lists them all
${isServe ? ENV_HELP : ""}
SIGINT (Ctrl-C) or SIGTERM ends it and all its processes, with exit code 0. Exit code 1: it
could not start, or ended by itself. Exit code 2: wrong flags.`,
  );
  if (!isServe && (values.host !== LOOPBACK_ADDRESS || values.env)) {
    const flag = values.env ? "--env" : "--host";
    throw new UsageError(
      `npm start is for this machine only. npm run serve has ${flag}${forName(values.host)}.`,
    );
  }
  const host = hostAddress(values.host);
  const environment = values.env ? environmentVariables() : {};
  const { ALLOWED_HOSTS = "", ...set } = { ...environment, ...variables(values.var) };
  const listed = ALLOWED_HOSTS.split(",").map((name) => name.trim());
  const names = [...values.name.map(hostName), ...listed.filter((name) => name !== "")];
  const hosts = [...LOOPBACK, ...addressesFor(host).map(bracketed), ...names];
  const folder = values["persist-to"];
  const typed: Flag[] = [
    ...(values.port === DEFAULT_PORT ? [] : [["--port", values.port] as const]),
    ...(host === LOOPBACK_ADDRESS ? [] : [["--host", values.host] as const]),
    ...values.name.map((name) => ["--name", name] as const),
    ...(folder === persistTo ? [] : [["--persist-to", folder] as const]),
    ...values.var.map((variable) => ["--var", variable] as const),
    ...(values.env ? [["--env"] as const] : []),
  ];
  return {
    host,
    port: wholeNumber("--port", values.port, 0, 65_535),
    names,
    persistTo: resolve(PROJECT, nonEmpty("--persist-to", folder)),
    variables: { ...set, ALLOWED_HOSTS: [...new Set(hosts)].join(",") },
    typed,
  };
}

const HOST_HELP = `  --host ADDRESS      the address to listen on (${LOOPBACK_ADDRESS}): 0.0.0.0 is every IPv4 address
                      of this machine, and :: every address
`;

const ENV_HELP = `  --env               takes variables from the environment too, before .dev.vars
`;

/** An address without brackets and zone. */
function hostAddress(text: string): string {
  if (text === "localhost") return LOOPBACK_ADDRESS;
  const address = text.replace(/^\[(.*)\]$/, "$1");
  if (isIP(address) === 0 || address.includes("%")) {
    throw new UsageError(
      `--host must be an address of this machine, such as 0.0.0.0${forName(text)}.`,
    );
  }
  return isIPv6(address)
    ? (URL.parse(`http://[${address}]`)?.hostname ?? "").slice(1, -1)
    : address;
}

/** What to do with a name instead, if it is one. */
function forName(text: string): string {
  const isName = isIP(text) === 0 && HOST_NAME.test(text) && /\p{L}/u.test(text);
  return isName ? `; the name that a proxy passes on is --name ${text}` : "";
}

/** In lower case, and in Punycode, as browsers send it. */
function hostName(text: string): string {
  const url = HOST_NAME.test(text) ? URL.parse(`http://${text}`) : null;
  if (url === null) {
    throw new UsageError("--name must be a name without a port, such as docs.example.com.");
  }
  return url.hostname;
}

function nonEmpty(flag: string, text: string): string {
  if (text === "") throw new UsageError(`${flag} must not be empty.`);
  return text;
}

/** Those that Belay knows. The environment of a process has many more. */
function environmentVariables(): Record<string, string> {
  return Object.fromEntries(
    VARIABLES.flatMap((name) => {
      const value = process.env[name];
      return value ? [[name, value]] : [];
    }),
  );
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
    throw new UsageError("--var ALLOWED_HOSTS is set by this command itself: use --name NAME.");
  }
  if (!isVariable(name)) throw new UsageError(`--var ${misnamed(name)}`);
  if (mark === "=") {
    throw new UsageError(`--var must be NAME:VALUE, with a colon: write --var ${name}:VALUE.`);
  }
  return [name, value];
}
