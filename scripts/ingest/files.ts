// The files below some paths, as documents.

import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { markdown } from "../../src/intake/markdown.ts";
import { isVisible } from "../../src/text/visible.ts";
import { Failure, systemReason, UsageError } from "../command.ts";
import { printable } from "../printable.ts";
import { type Addresses, addressOf } from "./address.ts";
import { kindOf, Listing, list, type Names, type Unread } from "./folder.ts";
import { CONVERT_FIRST, KINDS, NOT_TEXT } from "./formats.ts";
import type { Kind, Reading, ReadOptions } from "./reading.ts";

export interface Document {
  readonly id: string;
  readonly title: string;
  /** Without front matter. */
  readonly text: string;
  readonly url: string | undefined;
  /** SHA-256 of the text in UTF-8, in hexadecimal, as on the server. */
  readonly contentHash: string;
  /** Parts that were not read. */
  readonly notes: readonly string[];
}

export interface File {
  readonly id: string;
  read(): Promise<Document | Unread>;
}

export interface Found {
  readonly files: readonly File[];
  readonly skipped: readonly Unread[];
  readonly otherFormats: readonly Unread[];
  /** The number of other files, by extension. */
  readonly others: ReadonlyMap<string, number>;
  /** The number of names that begin with a dot, or are node_modules. */
  readonly hidden: number;
  /** The beginnings of the ids below the folders. */
  readonly prefixes: readonly string[];
  /** Whether this file exists, or may in a folder that was not entered. */
  isThere(id: string): boolean;
}

const TEXT_BYTES_MAX = 1024 * 1024; /* 1 MiB */
/** Front matter is not sent, so a file may be longer than its text. */
const FILE_BYTES_MAX = TEXT_BYTES_MAX + 64 * 1024;
/** Pictures and mark-up take more than the text. */
const RICH_BYTES_MAX = 50 * 1024 * 1024;
const EXTENSIONS = new Intl.ListFormat("en", { type: "disjunction" });
const NOTHING_TO_READ = `it has no file with the extension ${EXTENSIONS.format(KINDS.keys())}.`;
const ID_LENGTH_MAX = 128;
const TITLE_LENGTH_MAX = 300;
/** Never waits, even if a pipe has taken the place of the file. */
const READ_ONLY = constants.O_RDONLY | constants.O_NONBLOCK;

/** Throws a Failure without a usable path, a UsageError for equal ids. */
export async function findFiles(
  paths: readonly string[],
  prefix: string,
  addresses: Addresses | undefined,
  reading: Reading,
  selectors: ReadOptions = {},
): Promise<Found> {
  const files = new Map<string, File>();
  const skipped: Unread[] = [];
  const otherFormats: Unread[] = [];
  const others = new Map<string, number>();
  const prefixes: string[] = [];
  const there = new Set<string>();
  /** Paths that cannot be used. */
  const unusable: Unread[] = [];
  let hidden = 0;

  for (const path of paths) {
    const root = basename(resolve(path));
    const idOf = (names: Names) => (prefix + [root, ...names].join("/")).normalize("NFC");
    const isFromBefore = new Set(files.keys());
    const add = (names: Names, isNamed: boolean) => {
      const id = idOf(names);
      if (isFromBefore.has(id)) {
        throw new UsageError(
          `Two files would be the document ${printable(id)}: load them separately, with --prefix.`,
        );
      }
      const reason = files.has(id)
        ? "another file would be the same document: their names differ only in how an accent is written."
        : whyNoId(id);
      there.add(id);
      if (reason !== undefined) {
        skipped.push({ path: printable(id), reason });
        return;
      }
      const url = addresses && addressOf(names.length === 0 ? [root] : names, addresses);
      files.set(id, {
        id,
        read: () => read(join(path, ...names), { id, url, isNamed, reading, selectors }),
      });
    };

    const look = await lookAt(path);
    if (look === "file") {
      add([], true);
      continue;
    }
    if (look instanceof Listing) {
      const below = (unread: Unread) => ({
        ...unread,
        path: `${printable(idOf([]))}/${unread.path}`,
      });
      for (const names of look.files) add(names, false);
      skipped.push(...look.skipped.map(below));
      otherFormats.push(...look.otherFormats.map(below));
      for (const [extension, count] of look.others) {
        others.set(extension, (others.get(extension) ?? 0) + count);
      }
      hidden += look.hidden;
      for (const names of look.rest) there.add(idOf(names));
      prefixes.push(`${idOf([])}/`);
      if (look.files.length > 0) continue;
    }
    // No readable file is likelier a mistake than a wish to delete all.
    there.add(idOf([]));
    if (!(look instanceof Listing)) unusable.push({ path: printable(path), reason: look.reason });
    else if (look.skipped.length === 0) {
      unusable.push({ path: printable(path), reason: NOTHING_TO_READ });
    }
  }
  if (unusable.length === paths.length && otherFormats.length === 0) {
    const sentences = unusable.map(({ path, reason }) => `${path} ${reason.replace(/^it /, "")}`);
    throw new Failure(sentences.join("\n"));
  }
  skipped.push(...unusable);
  return {
    files: [...files.values()],
    skipped,
    otherFormats,
    others,
    hidden,
    prefixes,
    isThere: (id) => {
      const names = id.split("/");
      return names.some((_, index) => there.has(names.slice(0, index + 1).join("/")));
    },
  };
}

async function lookAt(path: string): Promise<Listing | "file" | { readonly reason: string }> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return await list(path);
    if (!found.isFile()) return { reason: `it is ${kindOf(found)}, not a file.` };
    if (!NOT_TEXT.has(extname(path).toLowerCase())) return "file";
    return { reason: CONVERT_FIRST };
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const reason = isMissing ? "it does not exist." : `it cannot be read: ${systemReason(error)}.`;
    return { reason };
  }
}

function whyNoId(id: string): string | undefined {
  if ([...id].length <= ID_LENGTH_MAX && !/\p{Cc}/u.test(id)) return undefined;
  return `its id would be too long or have a control character.`;
}

interface Reads {
  readonly id: string;
  readonly url: string | undefined;
  readonly isNamed: boolean;
  readonly reading: Reading;
  readonly selectors: ReadOptions;
}

async function read(
  path: string,
  { id, url, isNamed, reading, selectors }: Reads,
): Promise<Document | Unread> {
  const skip = (reason: string) => ({ path: printable(id), reason });
  const kind: Kind = KINDS.get(extname(path).toLowerCase()) ?? "text";
  const bytesMax = kind === "text" || kind === "mdx" ? FILE_BYTES_MAX : RICH_BYTES_MAX;
  let file: FileHandle | undefined;
  let bytes: Uint8Array;
  try {
    file = await open(path, isNamed ? READ_ONLY : READ_ONLY | constants.O_NOFOLLOW);
    const found = await file.stat();
    if (!found.isFile()) return skip(`it is ${kindOf(found)}, not a file.`);
    if (found.size > bytesMax) return skip(tooLong("it", found.size, bytesMax));
    // The size may be wrong: it is 0 for files in /proc.
    bytes = await buffer(file.createReadStream({ end: bytesMax, autoClose: false }));
  } catch (error) {
    return skip(`it cannot be read: ${systemReason(error)}.`);
  } finally {
    await file?.close();
  }
  if (bytes.byteLength > bytesMax) return skip(tooLong("it", bytes.byteLength, bytesMax));
  let whole: string | undefined;
  let title: string | undefined;
  let notes: readonly string[] = [];
  if (kind === "text") {
    whole = decode(bytes);
    if (whole === undefined) return skip("it is not text in UTF-8.");
  } else {
    const found = await reading.read(kind, bytes, {
      ...selectors,
      url: url && URL.parse(url)?.href,
    });
    if (!("text" in found)) return skip(found.reason);
    if (found.isHidden === true && !isNamed) {
      return { ...skip("it asks not to be found (noindex)."), isDraft: true };
    }
    whole = found.text;
    title = found.title;
    notes = found.notes ?? [];
  }
  return documentOf(whole, { id, url, title, name: nameOf(path), isNamed, notes });
}

interface Facts {
  readonly id: string;
  readonly url: string | undefined;
  /** Used where the text has none. */
  readonly title: string | undefined;
  readonly name: string;
  /** A draft that is named itself is meant. */
  readonly isNamed: boolean;
  readonly notes: readonly string[];
}

/** What is sent for a text. */
export function documentOf(whole: string, facts: Facts): Document | Unread {
  const { id, url, name, isNamed, notes } = facts;
  const skip = (reason: string) => ({ path: printable(id), reason });
  const { title, text, isDraft } = markdown.read(whole);
  // Its page does not exist.
  if (isDraft && !isNamed) {
    return { ...skip("its front matter says that it is a draft."), isDraft };
  }
  const encoded = new TextEncoder().encode(text);
  if (encoded.byteLength > TEXT_BYTES_MAX) {
    return skip(tooLong("its text", encoded.byteLength, TEXT_BYTES_MAX));
  }
  if (!isVisible(text)) return skip("it is empty.");
  return {
    id,
    title:
      tidy(title ?? "") ||
      tidy(facts.title ?? "") ||
      tidy(name) ||
      [...id].slice(0, TITLE_LENGTH_MAX).join(""),
    text,
    url,
    contentHash: createHash("sha256").update(encoded).digest("hex"),
    notes,
  };
}

function tooLong(what: string, bytes: number, most: number): string {
  return `${what} is ${bytes} bytes long. The limit is ${Math.floor(most / 1024 / 1024)} MiB.`;
}

/** Without a byte order mark. Undefined if it is not text. */
function decode(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // It is not UTF-8: there is no other error.
    return undefined;
  }
}

function nameOf(path: string): string {
  return basename(resolve(path))
    .replace(/\.\w+$/, "")
    .replace(/[-_]+/g, " ");
}

function tidy(title: string): string {
  const line = title.replace(/[\s\p{Cc}]+/gu, " ").trim();
  return [...line].slice(0, TITLE_LENGTH_MAX).join("").trim();
}
