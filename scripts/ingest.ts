// `npm run ingest`: loads files, folders and sites into a server as documents.

import { join } from "node:path";
import { isCollectionName } from "../src/collections.ts";
import { Failure, PROJECT, run, UsageError } from "./command.ts";
import { Documents } from "./documents.ts";
import { flagsAndWords, wholeNumber } from "./flags.ts";
import { CONFIG, configOf, isUrl, type Source } from "./ingest/config.ts";
import { Load } from "./ingest/load.ts";
import { findSource, loadFiles } from "./ingest/load-files.ts";
import { loadSite } from "./ingest/load-site.ts";
import { Reading } from "./ingest/reading.ts";
import { Changes } from "./ingest/watch.ts";
import { operatorToken, serverHelp, serverOf } from "./target.ts";

const HELP = `Loads files, folders and sites into a server as documents, and skips what it holds
already. Without PATH or URL it loads the sources of ingest.json.

  PATH...            files, and folders with Markdown (.md, .markdown, .mdx), text (.txt),
                     HTML, PDF and Word (.docx)
  URL...             a site: the pages of its sitemap, else those that links lead to and
                     that are below URL; or a sitemap.xml, llms.txt or llms-full.txt
  --server URL       the server: https://belay.example.com; ${serverHelp(21)}
  --token T          an operator's bearer token; by default that of BELAY_TOKEN, which
                     no shell remembers; for a server on this machine none is needed:
                     the command signs one with the secret of .dev.vars
  --collection NAME  the collection of the documents, which the first one makes: 1 to
                     64 lower-case letters, digits and hyphens; default by default
  --prefix P         begins the id of every document; nothing by default
  --prune            deletes the documents of a folder or site whose files or pages are
                     gone
  --dry-run          says what would be done, and sends nothing
  --select SELECTOR  CSS selector of the content of HTML pages; may be repeated
  --exclude SELECTOR CSS selector of what is no content; may be repeated
  --watch            goes on, and loads files of folders when they change
  --config FILE      another file than ingest.json

Files:
  --url BASE         where readers find the files: sources link to BASE and the path
                     inside PATH
  --strip-extension  links go without .md, .mdx, .markdown or .html, and those of index.md,
                     _index.md and README.md to their folder: BASE/guide/setup,
                     BASE/guide/

Sites:
  --max-pages N      5000 by default
  --max-minutes N    120 by default
  --rate N           requests a second: 10 by default, fewer if robots.txt asks for it
  --allow-private    also addresses of this machine and of private networks

The id of a document is its path, beginning with the name of PATH: docs/guide/setup.md
for a file of the folder docs, wherever that folder is; for a page its address without
https://. --prune goes by ids too: for the folder docs it deletes each document whose id
begins with docs/ and that has no file any more, however it got there. The title of a
document is its first-level heading, else the title in its front matter, which is not
sent, else another heading, else its name. A relative PATH begins at the folder of
package.json, where npm runs the command.

Files of other formats (ODT, RTF, EPUB, reStructuredText and the like) are named and not
read. Name a text of another format as a PATH to have it read as it is. Files that are no
documents, such as pictures and programs, are counted. Files and folders whose names
begin with a dot, and node_modules, are left out. Symbolic links in a folder are not
followed. The first document replaces the samples of a fresh server.

Exit code 0: all is loaded; what is not to be loaded is named. 1: files or pages were
skipped or refused, a limit was reached, or the command failed. 2: wrong flags. 130: it
was stopped with Ctrl-C; for a site, the next run goes on from there.`;

const INTERRUPTED = 130;

await run(async () => {
  const { values, positionals } = flagsAndWords(
    {
      server: { type: "string" },
      token: { type: "string" },
      collection: { type: "string" },
      prefix: { type: "string", default: "" },
      url: { type: "string" },
      "strip-extension": { type: "boolean", default: false },
      prune: { type: "boolean", default: false },
      "dry-run": { type: "boolean", default: false },
      select: { type: "string", multiple: true, default: [] },
      exclude: { type: "string", multiple: true, default: [] },
      "max-pages": { type: "string" },
      "max-minutes": { type: "string" },
      rate: { type: "string" },
      "allow-private": { type: "boolean", default: false },
      watch: { type: "boolean", default: false },
      config: { type: "string" },
    },
    HELP,
  );
  const { collection } = values;
  if (collection !== undefined && !isCollectionName(collection)) {
    throw new UsageError("--collection must be 1 to 64 lower-case letters, digits and hyphens.");
  }
  const number = (flag: "max-pages" | "max-minutes" | "rate", most: number) =>
    values[flag] === undefined ? undefined : wholeNumber(`--${flag}`, values[flag], 1, most);
  const typed: Source = {
    source: positionals,
    collection,
    prefix: values.prefix,
    url: values.url,
    stripExtension: values["strip-extension"],
    prune: values.prune,
    select: values.select,
    exclude: values.exclude,
    maxPages: number("max-pages", 50_000),
    maxMinutes: number("max-minutes", 1_440),
    rate: number("rate", 100),
    allowPrivate: values["allow-private"],
  };
  const path = values.config ?? join(PROJECT, CONFIG);
  const config = positionals.length > 0 ? undefined : await configOf(path);
  if (positionals.length === 0 && config === undefined) {
    if (values.config !== undefined) throw new UsageError(`${path} does not exist.`);
    throw new UsageError("PATH or URL is missing, and there is no ingest.json.");
  }
  const sources = config?.sources ?? [typed];
  const { watch, "dry-run": isDry } = values;
  if (watch && sources.every(({ source }) => source.every(isUrl))) {
    throw new UsageError("--watch goes with a folder or a file.");
  }
  const origin = await serverOf(values.server ?? config?.server);
  const token = await operatorToken(origin, values.token);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => stop.abort(new Failure("Stopped.", INTERRUPTED)));
  }
  const reading = new Reading();

  const load = async (source: Source, isChange: boolean): Promise<Load> => {
    const paths = source.source.filter((one) => !isUrl(one));
    const found = paths.length > 0 ? await findSource(paths, source, reading) : undefined;
    const documents = new Documents(origin, token, source.collection);
    const load = await Load.begin(documents, isDry, stop.signal);
    try {
      if (found !== undefined) await loadFiles(found, source.prune, load);
      for (const start of isChange ? [] : source.source.filter(isUrl)) {
        const target = [origin, source.collection ?? ""];
        await loadSite(start, source, load, reading, { target, isDry, signal: stop.signal });
      }
    } finally {
      load.progress.clear();
    }
    return load;
  };

  const folders = sources.filter(({ source }) => source.some((one) => !isUrl(one)));
  const paths = folders.flatMap(({ source }) => source.filter((one) => !isUrl(one)));
  // Files may change during the first load.
  const changes = watch ? await Changes.below(paths) : undefined;
  const failures: string[] = [];
  for (const source of sources) {
    try {
      const loaded = await load(source, false);
      const name = sources.length > 1 ? `${source.source.join(", ")}: ` : "";
      if (loaded.hasSkipped) failures.push(name + loaded.summary());
      else console.log(name + loaded.summary());
    } catch (error) {
      // The other sources are loaded all the same.
      const isOwn = error instanceof Failure && error.exitCode === 1 && sources.length > 1;
      if (!isOwn) throw error;
      failures.push(error.message);
    }
  }
  if (changes !== undefined) {
    for (const failure of failures) console.error(failure);
    console.log("Watching. Stop with Ctrl-C.");
    /** Why the last try failed: it is said once. */
    let said = "";
    await changes.each(stop.signal, async () => {
      const problems: string[] = [];
      for (const source of folders) {
        try {
          console.log((await load(source, true)).summary());
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          problems.push(error.message);
        }
      }
      const problem = problems.join("\n");
      if (problem !== "" && problem !== said && !stop.signal.aborted) console.error(problem);
      said = problem;
      return problem === "";
    });
    changes.end();
    await reading.end();
    return;
  }
  await reading.end();
  if (failures.length > 0) throw new Failure(failures.join("\n"));
});
