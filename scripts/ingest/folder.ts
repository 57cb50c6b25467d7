// The files in a folder: those to read, and the others with the reason.

import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { systemReason } from "../command.ts";
import { printable, printableBytes } from "../printable.ts";
import { CONVERT_FIRST, KINDS, NOT_TEXT, TEXT_IF_NAMED } from "./formats.ts";

/** A path below the folder, name by name. */
export type Names = readonly string[];

/** A file that is not read. */
export interface Unread {
  /** Safe to print. */
  readonly path: string;
  readonly reason: string;
  /** Its author has not published it, so nothing is wrong. */
  readonly isDraft?: true;
}

/** The contents of a folder and of the folders in it. */
export class Listing {
  /** Sorted. */
  readonly files: Names[] = [];
  /** Documents that cannot be read. */
  readonly skipped: Unread[] = [];
  /** Documents in formats that are not read. */
  readonly otherFormats: Unread[] = [];
  /** The number of other files, by extension. */
  readonly others = new Map<string, number>();
  /** The number of names that begin with a dot, or are node_modules. */
  hidden = 0;
  /** All that is not in `files`. Folders among these were not entered. */
  readonly rest: Names[] = [];
}

/** Throws the system error if the folder cannot be read. */
export async function list(folder: string): Promise<Listing> {
  const listing = new Listing();
  await walk(folder, [], listing);
  return listing;
}

async function walk(folder: string, inside: Names, listing: Listing): Promise<void> {
  // As bytes: decoding would change a name that is not UTF-8.
  const entries = await readdir(join(folder, ...inside), {
    withFileTypes: true,
    encoding: "buffer",
  });
  entries.sort((a, b) => Buffer.compare(a.name, b.name));
  for (const entry of entries) await sort(entry, folder, inside, listing);
}

async function sort(
  entry: Dirent<Buffer>,
  folder: string,
  inside: Names,
  listing: Listing,
): Promise<void> {
  const name = decoded(entry.name);
  if (name === undefined) {
    const path = [shown(inside), printableBytes(entry.name)].filter(Boolean).join("/");
    listing.skipped.push({ path, reason: "its name is not UTF-8: rename it." });
    return;
  }
  const names = [...inside, name];
  const extension = extname(name).toLowerCase();
  const otherFormat = hint(extension);
  const skip = (reason: string) => listing.skipped.push({ path: shown(names), reason });

  if (name.startsWith(".") || name === "node_modules") {
    listing.hidden += 1;
  } else if (entry.isDirectory()) {
    try {
      return await walk(folder, names, listing);
    } catch (error) {
      skip(`it cannot be read: ${systemReason(error)}.`);
    }
  } else if (entry.isSymbolicLink() && (KINDS.has(extension) || otherFormat !== undefined)) {
    // It may lead out of the folder, or into a circle.
    skip("it is a symbolic link: give its target as a PATH.");
  } else if (!entry.isFile() && !entry.isSymbolicLink()) {
    skip(`it is ${kindOf(entry)}, not a file.`);
  } else if (KINDS.has(extension)) {
    listing.files.push(names);
    return;
  } else if (otherFormat !== undefined) {
    listing.otherFormats.push({ path: shown(names), reason: otherFormat });
  } else {
    listing.others.set(extension, (listing.others.get(extension) ?? 0) + 1);
  }
  listing.rest.push(names);
}

function shown(names: Names): string {
  return printable(names.join("/"));
}

/** Undefined if it is no document. */
function hint(extension: string): string | undefined {
  if (NOT_TEXT.has(extension)) return CONVERT_FIRST;
  if (!TEXT_IF_NAMED.has(extension)) return undefined;
  return extension === "" || extension === "."
    ? "its name has no extension: give it as a PATH to have it read as text."
    : "its format is not read: convert it to Markdown, or give it as a PATH to have it read as text.";
}

function decoded(name: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(name);
  } catch {
    // It is not UTF-8: there is no other error.
    return undefined;
  }
}

/** What it is instead of a file. */
export function kindOf(entry: {
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}): string {
  if (entry.isDirectory()) return "a folder";
  if (entry.isFIFO()) return "a named pipe";
  return entry.isSocket() ? "a socket" : "a device";
}
