// What a server prints when it is ready: commands to paste into a shell. Pure.

import { printable, printableJson } from "./printable.ts";
import type { Holdings } from "./samples.ts";

const ANSWERS_FROM: Readonly<Record<Exclude<Holdings, "nothing">, string>> = {
  samples: "It answers from samples, documents about Belay. Your first document replaces them.",
  documents: "It answers from your documents.",
};

export interface Ready {
  readonly url: string;
  /** Whether commands without `--server` talk to it. */
  readonly isDefault: boolean;
  /** Of the user "you". */
  readonly token: string;
}

/** @param questions From the documents. */
export function tryIt(
  { url, isDefault, token }: Ready,
  holdings: Holdings,
  questions: readonly string[],
): string {
  const server = isDefault ? "" : ` --server ${url}`;
  const load = `npm run ingest -- FOLDER${server}
`;
  if (holdings === "nothing") {
    return `It has no documents, so there is nothing to ask about. Load some:\n\n${load}`;
  }
  const bearer = `-H 'Authorization: Bearer ${token}'`;
  const curl = (options: string, query: string) =>
    [
      `curl ${options} '${url}/api/v1/ai/ask?stream=true'`,
      bearer,
      `-H 'Content-Type: application/json' -d '${quoted({ query })}'`,
    ].join(" \\\n  ");
  const quota = [`curl -sw '\\n' '${url}/api/v1/ai/quota'`, bearer].join(" \\\n  ");
  // The same question twice would be answered from the store, for free.
  const [first = "What is this about?", second = "What else is in the documents?"] = questions;
  return `${ANSWERS_FROM[holdings]}

Open it in a browser, or ask in a second terminal, as the user "you":

npm run -s ask -- ${inShell(first)}${server}

The same over HTTP:

${curl("-N", first)}

See your quota:

${quota}

Press Ctrl-C in the middle of an answer and look at the quota again: nothing was
charged. Here curl disconnects by itself, after a fifth of a second:

${curl("-N -m 0.2", second)}; sleep 1; ${quota}
${holdings === "samples" ? `\nLoad your own folder:\n\n${load}` : ""}`;
}

/** One word of a shell, safe in a terminal. */
function inShell(text: string): string {
  return `'${printable(text).replaceAll("'", `'\\''`)}'`;
}

/** JSON that is safe between single quotes and in a terminal. */
function quoted(value: unknown): string {
  return printableJson(value).replaceAll("'", "\\u0027");
}
