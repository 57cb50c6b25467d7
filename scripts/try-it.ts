// What a server prints when it is ready: commands to paste into a shell. Pure.

import type { Holdings } from "./samples.ts";

const ANSWERS_FROM: Readonly<Record<Exclude<Holdings, "nothing">, string>> = {
  samples: "It answers from samples, documents about Belay. Your first document replaces them.",
  documents: "It answers from your documents.",
};

/** @param questions From the documents. */
export function tryIt(
  url: string,
  token: string,
  holdings: Holdings,
  questions: readonly string[],
): string {
  const load = `BELAY_TOKEN=$(npm run -s token -- --user me --operator) \\
  npm run ingest -- FOLDER --server ${url}
`;
  if (holdings === "nothing") {
    return `It has no documents, so there is nothing to ask about. Load some:\n\n${load}`;
  }
  const bearer = `-H 'Authorization: Bearer ${token}'`;
  const ask = (options: string, query: string) =>
    [
      `curl ${options} '${url}/api/v1/ai/ask?stream=true'`,
      bearer,
      `-H 'Content-Type: application/json' -d '${quoted({ query })}'`,
    ].join(" \\\n  ");
  const quota = [`curl -sw '\\n' '${url}/api/v1/ai/quota'`, bearer].join(" \\\n  ");
  // The same question twice would be answered from the store, for free.
  const [first = "What is this about?", second = "What else is in the documents?"] = questions;
  return `${ANSWERS_FROM[holdings]}

Open it in a browser, or ask here, as the user "you":

${ask("-N", first)}

See your quota:

${quota}

Press Ctrl-C in the middle of an answer and look at the quota again: nothing was
charged. Here curl disconnects by itself, after a fifth of a second:

${ask("-N -m 0.2", second)}; sleep 1; ${quota}
${holdings === "samples" ? `\nLoad your own folder:\n\n${load}` : ""}`;
}

/** JSON that is safe between single quotes and in a terminal. */
function quoted(value: unknown): string {
  return JSON.stringify(value).replace(/['\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, i) => {
      return `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
    }).join(""),
  );
}
