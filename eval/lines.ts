// Reading the files of a collection. Any wrong line is a
// Failure that names it: no figure may omit lines.

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../scripts/command.ts";

/** A folder of files. A missing one is named, rather than its first file. */
export async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) throw new Failure(`There is no folder ${folder}.`);
  if (!found.isDirectory()) throw new Failure(`${folder} is not a folder.`);
}

/** The JSON of each line that is not empty, and its place for messages. */
export async function readLines(
  folder: string,
  file: string,
): Promise<{ readonly value: Record<string, unknown>; readonly place: string }[]> {
  const content = await readRequired(folder, file);
  return content.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    const place = `${folder}/${file}, line ${i + 1},`;
    const value = (parse(line, place) ?? {}) as Record<string, unknown>;
    return [{ value, place }];
  });
}

export async function readRequired(folder: string, file: string): Promise<string> {
  const content = await read(folder, file);
  if (content === undefined) throw new Failure(`${folder} has no ${file}.`);
  return content;
}

/** Undefined if there is no such file. */
export async function read(folder: string, file: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, file), "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new Failure(`${folder}/${file} cannot be read: ${message}.`);
  }
}

export function parse(json: string, place: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new Failure(`${place} is not JSON: ${(error as Error).message}.`);
  }
}
