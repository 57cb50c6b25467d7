// The samples: documents about Belay for a fresh server.

import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { markdown } from "../src/intake/markdown.ts";
import { PROJECT } from "./command.ts";
import { type Documents, Refused } from "./documents.ts";

const FOLDER = join(PROJECT, "samples");

/** What a server holds. */
export type Holdings = "samples" | "documents" | "nothing";

/** Marks a data folder whose server has had documents. */
const MARKER = "documents.loaded";

/**
 * Loads the samples into a fresh server, or renews them. Nothing changes if
 * there are other documents, or if all were deleted.
 */
export async function loadSamples(documents: Documents, dataFolder: string): Promise<Holdings> {
  const marker = join(dataFolder, MARKER);
  const first = await documents.first();
  if (first === undefined && existsSync(marker)) return "nothing";
  const holdings = first === undefined || first.sample ? await renew(documents) : "documents";
  await writeFile(marker, "");
  return holdings;
}

async function renew(documents: Documents): Promise<Holdings> {
  try {
    await putAll(documents);
    return "samples";
  } catch (error) {
    // Another document has replaced the samples meanwhile.
    if (error instanceof Refused) return "documents";
    throw error;
  }
}

async function putAll(documents: Documents): Promise<void> {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith(".md")).sort();
  const idOf = (file: string) => `samples/${file}`;
  // In order: the first ones suggest the questions on the page.
  for (const file of files) {
    const text = await readFile(join(FOLDER, file), "utf8");
    const title = markdown.read(text).title ?? file;
    await documents.put(idOf(file), { title, text, url: null, sample: true });
  }
  const ids = files.map(idOf);
  for (const { id, sample } of (await documents.entries()).values()) {
    if (sample && !ids.includes(id)) await documents.delete(id);
  }
}
