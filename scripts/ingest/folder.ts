// What is in a folder: the files to read, and what is not read with the reason. Nothing is opened here.

import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { systemReason } from "../command.ts";
import { printable, printableBytes } from "../printable.ts";
import { CONVERT_FIRST, NOT_TEXT, TEXT, TEXT_IF_NAMED } from "./formats.ts";

/** A path below the folder, name by name. */
export type Names = readonly string[];

/** What is not read, and why. */
export interface Unread {
  /** Harmless to print. */
  readonly path: string;
  readonly reason: string;
}

/** What is in a folder and the folders in it. */
export class Listing {
  /** In order. */
  readonly files: Names[] = [];
  /** What would be a document if something were not in the way. */
  readonly skipped: Unread[] = [];
  /** Documents of formats that are not read. */
  readonly otherFormats: Unread[] = [];
  /** How many other files there are, by their extension. */
  readonly others = new Map<string, number>();
  /** How many names begin with a dot, or are node_modules. */
  hidden = 0;
  /** Everything that is there and is not in `files`. What is below one of these was not looked at. */
  readonly rest: Names[] = [];
}

/** Throws what the system says if the folder itself cannot be read. */
export async function list(folder: string): Promise<Listing> {
  const listing = new Listing();
  await walk(folder, [], listing);
  return listing;
}

async function walk(folder: string, inside: Names, listing: Listing): Promise<void> {
  // Names are bytes: one that is not UTF-8 would be read as another name, under which there is no file.
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
  } else if (entry.isSymbolicLink() && (TEXT.has(extension) || otherFormat !== undefined)) {
    // It may lead out of the folder, or in a circle.
    skip("it is a symbolic link: name what it leads to.");
  } else if (!entry.isFile() && !entry.isSymbolicLink()) {
    skip(`it is ${kindOf(entry)}, not a file.`);
  } else if (TEXT.has(extension)) {
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

/** Undefined for what is no document of any format. */
function hint(extension: string): string | undefined {
  if (NOT_TEXT.has(extension)) return CONVERT_FIRST;
  if (!TEXT_IF_NAMED.has(extension)) return undefined;
  return extension === "" || extension === "."
    ? "its name has no extension: name it as a PATH to have it read as text."
    : "it is of a format that is not read: convert it to Markdown, or name it as a PATH to have it read as text.";
}

function decoded(name: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(name);
  } catch {
    // The only error that there is says that it is no UTF-8.
    return undefined;
  }
}

/** What something is that is no file, in words. */
export function kindOf(entry: {
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}): string {
  if (entry.isDirectory()) return "a folder";
  if (entry.isFIFO()) return "a named pipe";
  return entry.isSocket() ? "a socket" : "a device";
}
