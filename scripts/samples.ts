// The samples: documents about Belay, so that a fresh server can answer something.

import { access, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT } from "./command.ts";
import { type Documents, Refused } from "./documents.ts";
import { headOf } from "./ingest/head.ts";

const FOLDER = join(PROJECT, "samples");

/** What a server holds. */
export type Holdings = "samples" | "documents" | "nothing";

/** Marks a data folder whose server has had the samples. */
const MARKER = "samples.loaded";

/**
 * Loads the samples into a fresh server and renews them in one that still has
 * them. A server with other documents, or whose documents were deleted, stays
 * as it is.
 */
export async function loadSamples(documents: Documents, dataFolder: string): Promise<Holdings> {
  const marker = join(dataFolder, MARKER);
  const first = await documents.first();
  if (first !== undefined && !first.sample) return "documents";
  if (first === undefined && (await exists(marker))) return "nothing";
  try {
    await renew(documents);
  } catch (error) {
    // Another document arrived meanwhile: it has replaced the samples.
    if (error instanceof Refused) return "documents";
    throw error;
  }
  await writeFile(marker, "");
  return "samples";
}

async function renew(documents: Documents): Promise<void> {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith(".md")).sort();
  const ids = files.map((file) => `samples/${file}`);
  // One after the other: the page suggests questions in the order of arrival.
  for (const [i, id] of ids.entries()) {
    const text = await readFile(join(FOLDER, files[i] as string), "utf8");
    const title = headOf(text).title ?? id;
    await documents.put(id, { title, text, url: null, sample: true });
  }
  for (const { id, sample } of (await documents.entries()).values()) {
    if (sample && !ids.includes(id)) await documents.delete(id);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
