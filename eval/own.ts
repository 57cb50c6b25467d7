// The project's own samples and docs as a collection, with
// questions as newcomers and operators ask them.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure, PROJECT } from "../scripts/command.ts";
import { markdown } from "../src/intake/markdown.ts";
import { type Collection, collectionOf, type Document, readStyledQuestions } from "./collection.ts";

const FOLDER = join(PROJECT, "eval/own");

export async function readOwnCollection(): Promise<Collection> {
  const documents = new Map<string, Document>();
  for (const folder of ["samples", "docs"]) {
    for (const file of (await readdir(join(PROJECT, folder))).sort()) {
      if (!file.endsWith(".md")) continue;
      const id = `${folder}/${file.slice(0, -".md".length)}`;
      const text = await readFile(join(PROJECT, folder, file), "utf8");
      documents.set(id, { id, title: markdown.read(text).title ?? file, text });
    }
  }
  const questions = await readStyledQuestions(FOLDER);
  if (questions === undefined) throw new Failure(`${FOLDER} has no questions.jsonl.`);
  return collectionOf("own", FOLDER, documents, questions);
}
