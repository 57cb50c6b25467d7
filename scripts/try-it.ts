// What a server prints when it is ready: who writes its answers, and what to
// paste into a shell. Pure.

import { styleText } from "node:util";
import { type Flag, folded, quoted, retyped, type ServerScript } from "./command-line.ts";
import type { LocalServer } from "./local-models.ts";
import { printable, printableJson } from "./printable.ts";
import type { Holdings } from "./samples.ts";

/** What makes an answer of the passages. */
export type Writer =
  /** Nothing: they are quoted. The servers could write. */
  | {
      readonly model: undefined;
      readonly servers: readonly LocalServer[];
      readonly hasKey: boolean;
    }
  /** Of a service, or at a host, named also if nothing listens there. */
  | { readonly model: string; readonly where: string; readonly silentHost: string | undefined };

export interface Ready {
  readonly url: string;
  readonly script: ServerScript;
  /** The flags of this command. */
  readonly typed: readonly Flag[];
  /** Undefined if only this machine reaches it. */
  readonly reached?: Reached | undefined;
  readonly writer: Writer;
  /** Undefined if only an identity provider signs tokens. */
  readonly corpus: Corpus | undefined;
  readonly isStyled: boolean;
}

export interface Reached {
  /** At its own addresses, without TLS. */
  readonly urls: readonly string[];
  /** That a reverse proxy passes on. */
  readonly names: readonly string[];
  readonly isProxyTrusted: boolean;
}

export interface Corpus {
  readonly holdings: Holdings;
  /** From the documents. */
  readonly questions: readonly string[];
  /** Whether commands without `--server` talk to this server. */
  readonly isDefault: boolean;
  /** Of the user "you", if other commands cannot sign one for this server. */
  readonly token: string | undefined;
}

type Row = readonly [label: string, ...lines: string[]];

const LABEL_COLUMNS = 11;
const INDENT = " ".repeat(2 + LABEL_COLUMNS);
const COLUMNS = 80 - INDENT.length;
const SIGN = "npm run -s token -- --user you";

export function tryIt(ready: Ready): string {
  const { url, corpus, reached, isStyled } = ready;
  const page: Row = ["Page", url];
  const canSign = reached === undefined && corpus !== undefined && corpus.token === undefined;
  const console: Row = ["Console", `${url}/console`, ...(canSign ? [`${SIGN} --operator`] : [])];
  const sections: Row[][] =
    corpus === undefined
      ? [[answers(ready), SIGNED_ELSEWHERE, page, console, ...reachedRows(ready)]]
      : [
          [answers(ready), documents(corpus, url), ...reachedRows(ready)],
          // The log of a server for others is kept, and a command may hold a token.
          reached === undefined ? [page, console, ...asking(corpus, url)] : [page, console],
        ];
  const style = (format: "bold" | "cyan", text: string) =>
    isStyled ? styleText(format, text, { validateStream: false }) : text;
  const rows = (section: readonly Row[]) =>
    section.map(([label, ...lines]) => {
      return `  ${style("bold", label.padEnd(LABEL_COLUMNS))}${lines.join(`\n${INDENT}`)}\n`;
    });
  const title = `${style("bold", "Belay is ready on")} ${style("cyan", url)}\n`;
  return [title, ...sections.map((section) => rows(section).join(""))].join("\n");
}

const SIGNED_ELSEWHERE: Row = [
  "Tokens",
  "AUTH_JWKS_URL is set:",
  "only its identity provider can sign bearer tokens, so no samples",
  "were loaded, and there are no commands to try.",
];

function reachedRows({ reached }: Ready): readonly Row[] {
  if (reached === undefined) return [];
  const { urls, names, isProxyTrusted } = reached;
  const rows: Row[] = [];
  if (urls.length > 0) {
    rows.push(["Others", ...urls, "without TLS: tokens and questions can be read on the way."]);
  }
  const named = names.length === 0 ? [] : [`It answers to ${names.join(", ")}.`];
  const trust = isProxyTrusted
    ? "Readers have the address that a proxy of TRUSTED_PROXIES tells."
    : "TRUSTED_PROXIES is not set: all readers behind a proxy share one quota.";
  rows.push(["Proxy", ...named, trust]);
  return rows;
}

function answers({ script, typed, writer }: Ready): Row {
  if (writer.model !== undefined) {
    const { model, where, silentHost } = writer;
    const lines = [`${printable(model)} ${where} writes them.`];
    if (silentHost !== undefined) {
      lines.push(`Nothing listens at ${silentHost} yet: start the model's server.`);
    }
    return ["Answers", ...lines];
  }
  const [first, ...others] = writer.servers;
  const quotes = "Passages are quoted word for word: no model is set.";
  if (first === undefined) {
    return [
      "Answers",
      quotes,
      "To let a model write, set GENERATOR:openai, OPENAI_BASE_URL and",
      "OPENAI_MODEL with --var: README.md, step 3, has an example.",
    ];
  }
  const flags: readonly Flag[] = [
    ["--var", "GENERATOR:openai"],
    ["--var", `OPENAI_BASE_URL:http://127.0.0.1:${first.port}/v1`],
    ["--var", `OPENAI_MODEL:${first.models[0]}`],
    // The key that is set belongs to another endpoint.
    ...(writer.hasKey ? [["--var", "OPENAI_API_KEY:"] as const] : []),
  ];
  const whole = retyped(script, typed, flags, COLUMNS);
  return [
    "Answers",
    quotes,
    offer(first),
    whole ? "To let it write:" : "Add this to your command to let it write:",
    ...(whole ?? folded("", flags, COLUMNS)),
    ...others.map(offer),
  ];
}

function offer({ port, programs, models: [first, ...more] }: LocalServer): string {
  const others = more.length === 0 ? "" : ` and ${more.length} more`;
  return `Port ${port} (${programs}) offers ${first}${others}.`;
}

function documents({ holdings, isDefault }: Corpus, url: string): Row {
  const load = `npm run ingest -- FOLDER${serverFlag(isDefault, url)}`;
  switch (holdings) {
    case "samples":
      return ["Documents", "Samples about Belay. Your first document replaces them:", load];
    case "documents":
      return ["Documents", "Your own."];
    case "nothing":
      return ["Documents", "None, so there is nothing to ask about. Load some:", load];
  }
}

function asking({ holdings, questions, isDefault, token }: Corpus, url: string): readonly Row[] {
  if (holdings === "nothing") return [];
  const [question = "What is this about?"] = questions;
  const bearer = token === undefined ? `$(${SIGN})` : "$BELAY_TOKEN";
  const signing: Row =
    token === undefined
      ? ["Token", SIGN]
      : [
          "Token",
          "Set it first, in the terminal from which you ask:",
          `export BELAY_TOKEN=${token}`,
        ];
  return [
    ...(token === undefined ? [] : [signing]),
    [
      "Terminal",
      `npm run -s ask -- ${quoted(question)}${serverFlag(isDefault, url)}`,
      "Ctrl-C stops the answer, which is then not charged.",
    ],
    ...(token === undefined ? [signing] : []),
    ["OpenAI", `${url}/v1    (the token is the key, the model belay)`],
    ["MCP", `${url}/mcp`],
    [
      "HTTP",
      `curl -N '${url}/api/v1/ai/ask?stream=true' \\`,
      `  -H "Authorization: Bearer ${bearer}" \\`,
      `  -H 'Content-Type: application/json' \\`,
      `  -d '${printableJson({ query: question }).replaceAll("'", "\\u0027")}'`,
    ],
  ];
}

function serverFlag(isDefault: boolean, url: string): string {
  return isDefault ? "" : ` --server ${url}`;
}
