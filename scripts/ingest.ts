// `npm run ingest`: loads files into a server as documents.

import pMap from "p-map";
import { Failure, run, UsageError } from "./command.ts";
import { Documents, Refused } from "./documents.ts";
import { flagsAndWords } from "./flags.ts";
import { type File, type Found, findFiles } from "./ingest/files.ts";
import { Progress } from "./progress.ts";
import { operatorToken, serverHelp, serverOf } from "./target.ts";

const HELP = `Loads files into a server as documents, and skips what it holds already.

  PATH...            files, and folders with Markdown (.md, .markdown) and text (.txt)
  --server URL       the server: https://belay.example.com; ${serverHelp(21)}
  --token T          an operator's bearer token; by default that of BELAY_TOKEN, which
                     no shell remembers; for a server on this machine none is needed:
                     the command signs one with the secret of .dev.vars
  --prefix P         begins the id of every document; nothing by default
  --url BASE         where readers find the files: sources link to BASE and the path
                     inside PATH
  --strip-extension  links go without .md or .markdown, and those of index.md,
                     _index.md and README.md to their folder: BASE/guide/setup,
                     BASE/guide/
  --prune            deletes the documents of a folder whose files are gone

The id of a document is its path, beginning with the name of PATH: docs/guide/setup.md
for a file of the folder docs, wherever that folder is. --prune goes by ids too: for the
folder docs it deletes each document whose id begins with docs/ and that has no file any
more, however it got there. The title of a document is its first-level heading, else the
title in its front matter, which is not sent, else another heading, else its name. A
relative PATH begins at the folder of package.json, where npm runs the command.

Files of other formats (HTML, PDF, DOCX, reStructuredText, MDX and the like) are named
and not read. Name a text of another format as a PATH to have it read as it is. Files
that are no documents, such as pictures and programs, are counted. Files and folders
whose names begin with a dot, and node_modules, are left out. Symbolic links in a folder
are not followed. The first document replaces the samples of a fresh server.

Exit code 1: files were skipped or refused, or the command failed. Exit code 2: wrong
flags.`;

/** More would make searches wait. */
const PUTS_AT_ONCE = 8;

/** Kinds of files that are named when they are left out. */
const KINDS_SHOWN = 12;

const OUTCOMES = ["added", "replaced", "unchanged", "deleted", "skipped"] as const;
type Outcome = (typeof OUTCOMES)[number];

await run(async () => {
  const { values, positionals } = flagsAndWords(
    {
      server: { type: "string" },
      token: { type: "string" },
      prefix: { type: "string", default: "" },
      url: { type: "string" },
      "strip-extension": { type: "boolean", default: false },
      prune: { type: "boolean", default: false },
    },
    HELP,
  );
  if (positionals.length === 0) throw new UsageError("PATH is missing: which files?");
  const { prune, prefix } = values;
  const origin = await serverOf(values.server);
  const documents = new Documents(origin, await operatorToken(origin, values.token));
  const base = baseOf(values.url);
  const stripExtension = values["strip-extension"];
  if (stripExtension && base === undefined) {
    throw new UsageError("--strip-extension goes with --url.");
  }
  const addresses = base === undefined ? undefined : { base, stripExtension };
  const found = await findFiles(positionals, prefix, addresses);
  if (prune && found.prefixes.length === 0) throw new UsageError("--prune goes with a folder.");

  const entries = [...(await documents.entries()).values()];
  // Samples go when the first of these files arrives.
  const held = new Map(entries.filter(({ sample }) => !sample).map((entry) => [entry.id, entry]));
  const samples = entries.length - held.size;
  const isUnder = (id: string) => found.prefixes.some((prefix) => id.startsWith(prefix));
  const gone = prune ? [...held.keys()].filter((id) => isUnder(id) && !found.isThere(id)) : [];
  const counts = new Map<Outcome, number>();
  const progress = new Progress("documents", found.files.length + gone.length);
  const note = (outcome: Outcome, id: string, detail = "") => {
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    if (outcome === "skipped") progress.say(`Skipped ${id}: ${detail}`);
    else if (outcome !== "unchanged") progress.log(`${outcome} ${id}${detail}`);
  };
  for (const { path, reason } of found.otherFormats) progress.say(`Not read: ${path}: ${reason}`);
  for (const line of leftOut(found)) progress.say(line);
  for (const { path, reason } of found.skipped) note("skipped", path, reason);

  try {
    await pMap(
      found.files,
      async (file) => {
        await put(file);
        progress.advance();
      },
      { concurrency: PUTS_AT_ONCE },
    );
    await pMap(
      gone,
      async (id) => {
        await documents.delete(id);
        note("deleted", id);
        progress.advance();
      },
      { concurrency: PUTS_AT_ONCE },
    );
  } finally {
    progress.clear();
  }

  const counted = OUTCOMES.map((outcome) => `${counts.get(outcome) ?? 0} ${outcome}`).join(", ");
  const replaced = samples > 0 && counts.has("added") ? ` Replaced ${samples} samples.` : "";
  const summary = `${counted}.${replaced}`;
  if (counts.has("skipped")) throw new Failure(summary);
  console.log(summary);

  async function put(file: File): Promise<void> {
    const document = await file.read();
    if ("isDraft" in document) {
      progress.say(`Not read: ${document.path}: ${document.reason}`);
      if (!prune || !held.has(file.id)) return;
      await documents.delete(file.id);
      return note("deleted", file.id);
    }
    if ("reason" in document) return note("skipped", document.path, document.reason);
    const before = held.get(document.id);
    // Without --url, a document keeps its address.
    const url = document.url ?? before?.url ?? null;
    const { title, contentHash } = document;
    if (before?.contentHash === contentHash && before.title === title && before.url === url) {
      return note("unchanged", document.id);
    }
    try {
      const passages = await documents.put(document.id, { title, text: document.text, url });
      note(
        before ? "replaced" : "added",
        document.id,
        `: ${passages} ${passages === 1 ? "passage" : "passages"}`,
      );
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      note("skipped", document.id, error.message);
    }
  }
});

/** Files that are counted rather than named. */
function leftOut({ others, hidden }: Found): string[] {
  const kinds = [...others].sort(([, a], [, b]) => b - a);
  const shown = kinds.slice(0, KINDS_SHOWN).map(([extension, count]) => `${count} ${extension}`);
  if (kinds.length > KINDS_SHOWN) shown.push(`${kinds.length - KINDS_SHOWN} more kinds`);
  return [
    ...(kinds.length > 0 ? [`Not documents, left out: ${shown.join(", ")}.`] : []),
    ...(hidden > 0 ? [`Left out by name (a leading dot, node_modules): ${hidden}.`] : []),
  ];
}

/** Ends with a slash, so that paths can follow. */
function baseOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  if (!/^(?:https?:\/\/[^\s?#]+|\/[^\s?#]*)$/.test(url)) {
    throw new UsageError("--url must be an http or https URL, or a path from /.");
  }
  return url.endsWith("/") ? url : `${url}/`;
}
