// Loads files and folders.

import pMap from "p-map";
import { UsageError } from "../command.ts";
import type { Addresses } from "./address.ts";
import type { Source } from "./config.ts";
import { type File, type Found, findFiles } from "./files.ts";
import type { Load } from "./load.ts";
import type { Reading } from "./reading.ts";

/** More would make searches wait. */
export const PUTS_AT_ONCE = 8;

/** Kinds of files that are named when they are left out. */
const KINDS_SHOWN = 12;

/** Throws a Failure without a usable path, a UsageError for wrong flags. */
export async function findSource(
  paths: readonly string[],
  source: Source,
  reading: Reading,
): Promise<Found> {
  const { prefix, prune, select, exclude } = source;
  const found = await findFiles(paths, prefix, addressesOf(source), reading, { select, exclude });
  const hasSite = paths.length < source.source.length;
  if (prune && found.prefixes.length === 0 && !hasSite) {
    throw new UsageError("--prune goes with a folder.");
  }
  return found;
}

export async function loadFiles(found: Found, prune: boolean, load: Load): Promise<void> {
  const { progress } = load;
  const gone = prune ? load.goneBelow(found.prefixes, (id) => found.isThere(id)) : [];
  progress.expect(found.files.length + gone.length);
  for (const { path, reason } of found.otherFormats) progress.say(`Not read: ${path}: ${reason}`);
  for (const line of leftOut(found)) progress.say(line);
  for (const { path, reason } of found.skipped) load.note("skipped", path, reason);

  const put = async (file: File) => {
    load.signal.throwIfAborted();
    const document = await file.read();
    if ("reason" in document) await load.unread(document, file.id, prune);
    else await load.put(document);
    progress.advance();
  };
  await pMap(found.files, put, { concurrency: PUTS_AT_ONCE });
  const remove = async (id: string) => {
    await load.delete(id);
    progress.advance();
  };
  await pMap(gone, remove, { concurrency: PUTS_AT_ONCE });
}

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

function addressesOf({ url, stripExtension }: Source): Addresses | undefined {
  if (url === undefined) {
    if (stripExtension) throw new UsageError("--strip-extension goes with --url.");
    return undefined;
  }
  if (!/^(?:https?:\/\/[^\s?#]+|\/[^\s?#]*)$/.test(url)) {
    throw new UsageError("--url must be an http or https URL, or a path from /.");
  }
  // It ends with a slash, so that paths can follow.
  return { base: url.endsWith("/") ? url : `${url}/`, stripExtension };
}
