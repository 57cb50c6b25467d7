// `npm run ingest`: Markdown and text files to a server's documents. What is a document is in
// ingest/files.ts, and how the server is spoken to in ingest/server.ts.

import { Failure, run, UsageError } from "./command.ts";
import { flagsAndWords } from "./flags.ts";
import { type File, type Found, findFiles } from "./ingest/files.ts";
import { Refused, Server } from "./ingest/server.ts";
import { inParallel } from "./parallel.ts";
import { Progress } from "./progress.ts";

const HELP = `Puts files into a server as documents, and leaves out what it holds already.

  PATH...            files, and folders with Markdown (.md, .markdown) and text (.txt) in them
  --server URL       the server: https://belay.example.com
  --token T          an operator's bearer token; without it, that of BELAY_TOKEN, which no shell remembers
  --prefix P         what every document's id begins with; nothing if you do not say
  --url BASE         where readers find the files: sources link to BASE and the path inside PATH
  --strip-extension  such links go without .md or .markdown, and that of an index.md, _index.md or README.md
                     goes to its folder: BASE/guide/setup, BASE/guide/
  --prune            deletes the documents of a folder whose files are gone

A document's id is its path, from the name of PATH on: docs/guide/setup.md for a file of the folder docs,
wherever that stands. --prune goes by that too: of the folder docs it deletes each document whose id
begins with docs/ and has no file any more, however it came there. A document's title is its
heading of the first level, else the title in its front matter, which is not sent, else another heading, else
its name. A PATH that is relative begins where npm runs the command, which is the folder of package.json.

Files of other formats (HTML, PDF, DOCX, reStructuredText, MDX and the like) are named and not read; a text of
another format is read as it is if it is a PATH itself. Files that are no documents, such as pictures and
programs, are counted. Files and folders whose names begin with a dot are left out, and so is node_modules;
symbolic links in a folder are not followed.

Exit code 1: some files were skipped or refused, or it could not be done. Exit code 2: the flags are wrong.`;

/** So many at once keep a server busy without making its searches wait. */
const PUTS_AT_ONCE = 8;

/** The kinds of files that are left out, the most frequent first. */
const KINDS_SHOWN = 12;

type Outcome = "added" | "replaced" | "unchanged" | "deleted" | "skipped";

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
  const server = new Server(originOf(values.server), tokenOf(values.token));
  const base = baseOf(values.url);
  const stripExtension = values["strip-extension"];
  if (stripExtension && base === undefined) {
    throw new UsageError("--strip-extension goes with --url.");
  }
  const addresses = base === undefined ? undefined : { base, stripExtension };
  const found = await findFiles(positionals, prefix, addresses);
  if (prune && found.prefixes.length === 0) throw new UsageError("--prune goes with a folder.");

  const held = await server.entries();
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
    await inParallel(found.files, PUTS_AT_ONCE, async (file) => {
      await put(file);
      progress.advance();
    });
    await inParallel(gone, PUTS_AT_ONCE, async (id) => {
      await server.delete(id);
      note("deleted", id);
      progress.advance();
    });
  } finally {
    progress.clear();
  }

  const summary = (["added", "replaced", "unchanged", "deleted", "skipped"] as const)
    .map((outcome) => `${counts.get(outcome) ?? 0} ${outcome}`)
    .join(", ");
  if (counts.has("skipped")) throw new Failure(`${summary}.`);
  console.log(`${summary}.`);

  async function put(file: File): Promise<void> {
    const document = await file.read();
    if ("reason" in document) return note("skipped", document.path, document.reason);
    const before = held.get(document.id);
    // Where it is not said where readers find it, what the server knows of that stays.
    const url = document.url ?? before?.url ?? null;
    const { title, contentHash } = document;
    if (before?.contentHash === contentHash && before.title === title && before.url === url) {
      return note("unchanged", document.id);
    }
    try {
      const passages = await server.put(document.id, { title, text: document.text, url });
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

/** What is not worth a line each. */
function leftOut({ others, hidden }: Found): string[] {
  const kinds = [...others].sort(([, a], [, b]) => b - a);
  const shown = kinds.slice(0, KINDS_SHOWN).map(([extension, count]) => `${count} ${extension}`);
  if (kinds.length > KINDS_SHOWN) shown.push(`${kinds.length - KINDS_SHOWN} more kinds`);
  return [
    ...(kinds.length > 0 ? [`Left out as no documents: ${shown.join(", ")}.`] : []),
    ...(hidden > 0 ? [`Left out by name (a leading dot, node_modules): ${hidden}.`] : []),
  ];
}

function originOf(server: string | undefined): string {
  if (server === undefined) throw new UsageError("--server is missing.");
  const url = URL.parse(server);
  if (!url?.protocol.match(/^https?:$/) || url.pathname !== "/" || url.search !== "") {
    throw new UsageError("--server must be the origin of a server: https://belay.example.com.");
  }
  return url.origin;
}

function tokenOf(token: string | undefined): string {
  const given = token ?? process.env.BELAY_TOKEN;
  if (!given) throw new UsageError("--token is missing, and so is BELAY_TOKEN.");
  if (!/^[\x21-\x7e]+$/.test(given)) throw new UsageError("--token must be a bearer token.");
  return given;
}

/** With a slash at its end, so that paths can follow. */
function baseOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  if (!/^(?:https?:\/\/[^\s?#]+|\/[^\s?#]*)$/.test(url)) {
    throw new UsageError("--url must be an http or https URL, or a path from /.");
  }
  return url.endsWith("/") ? url : `${url}/`;
}
