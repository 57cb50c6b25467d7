// The files that are to become documents: which of those under a path, and what each says.

import { createHash } from "node:crypto";
import { lstat, readdir, readFile, stat } from "node:fs/promises";
import { basename, extname, join, resolve, sep } from "node:path";
import { Failure, UsageError } from "../command.ts";
import { headOf } from "./head.ts";

export interface Document {
  readonly id: string;
  readonly title: string;
  /** Without front matter. */
  readonly text: string;
  readonly url: string | undefined;
  /** As the server computes it: SHA-256 of the text in UTF-8, in hexadecimal. */
  readonly contentHash: string;
}

/** What cannot become a document, and why. */
export interface Skipped {
  readonly path: string;
  readonly reason: string;
}

export interface File {
  readonly id: string;
  read(): Promise<Document | Skipped>;
}

export interface Found {
  readonly files: readonly File[];
  readonly skipped: readonly Skipped[];
  /** Of everything that is there, whether it can become a document or not. */
  readonly ids: ReadonlySet<string>;
  /** What the ids under the folders begin with. */
  readonly prefixes: readonly string[];
}

const EXTENSIONS = new Set([".md", ".markdown", ".txt"]);
const TEXT_BYTES_MAX = 1024 * 1024; /* 1 MiB */
const ID_LENGTH_MAX = 128;
const TITLE_LENGTH_MAX = 300;

/** @param base What the addresses begin with under which readers find the files. */
export async function findFiles(
  paths: readonly string[],
  prefix: string,
  base: string | undefined,
): Promise<Found> {
  const files = new Map<string, File>();
  const skipped: Skipped[] = [];
  const prefixes: string[] = [];
  for (const path of paths) {
    const name = basename(resolve(path));
    const isFolder = await folder(path);
    if (isFolder) prefixes.push(`${prefix}${name}/`);
    const inside = isFolder ? await pathsIn(path) : [""];
    if (inside.length === 0) {
      throw new Failure(`${path} has no file that ends in ${[...EXTENSIONS].join(", ")}.`);
    }
    for (const rest of inside) {
      const id = (prefix + [name, ...rest.split(sep)].filter(Boolean).join("/")).normalize("NFC");
      const file = join(path, rest);
      if (files.has(id)) {
        const message = `Two files would be the document ${id}: put them in apart, with --prefix.`;
        throw new UsageError(message);
      }
      const url = base && base + (rest || name).split(sep).map(encodeURIComponent).join("/");
      const isLink = rest !== "" && (await lstat(file)).isSymbolicLink();
      if (isLink)
        skipped.push({ path: id, reason: "it is a symbolic link: name what it leads to." });
      files.set(id, { id, read: () => read(file, id, url) });
    }
  }
  for (const id of files.keys()) {
    if ([...id].length > ID_LENGTH_MAX || /\p{Cc}/u.test(id)) {
      const reason = `its id would not be 1 to ${ID_LENGTH_MAX} characters without control characters.`;
      skipped.push({ path: id, reason });
    }
  }
  const ids = new Set(files.keys());
  for (const { path } of skipped) files.delete(path);
  return { files: [...files.values()], skipped, ids, prefixes };
}

async function folder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Failure(code === "ENOENT" ? `${path} is not there.` : `${path}: ${message}.`);
  }
}

/** Relative to the folder, in order. A link to a folder is not followed: it may lead in a circle. */
async function pathsIn(folder: string, inside = ""): Promise<string[]> {
  const entries = await readdir(join(folder, inside), { withFileTypes: true }).catch((error) => {
    throw new Failure(`${join(folder, inside)} cannot be read: ${error.message}.`);
  });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const path = join(inside, entry.name);
    if (entry.isDirectory()) found.push(...(await pathsIn(folder, path)));
    else if (EXTENSIONS.has(extname(entry.name).toLowerCase())) found.push(path);
  }
  return found;
}

async function read(
  path: string,
  id: string,
  url: string | undefined,
): Promise<Document | Skipped> {
  const skip = (reason: string) => ({ path, reason });
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    return skip(`it cannot be read: ${(error as Error).message}.`);
  }
  const whole = decode(bytes);
  if (whole === undefined) return skip("it is no text in UTF-8.");
  const { title, text } = headOf(whole);
  const encoded = new TextEncoder().encode(text);
  if (encoded.byteLength > TEXT_BYTES_MAX) {
    return skip(`its text is ${encoded.byteLength} bytes long, and at most 1 MiB is taken.`);
  }
  if (text.trim() === "") return skip("there is nothing in it.");
  return {
    id,
    title: tidy(title ?? "") || tidy(nameOf(path)) || id.slice(0, TITLE_LENGTH_MAX),
    text,
    url,
    contentHash: createHash("sha256").update(encoded).digest("hex"),
  };
}

/** Without a byte order mark. Undefined is what is no text. */
function decode(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // The only error that there is says that it is no UTF-8.
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
