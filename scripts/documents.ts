// The project's own documents: what a fresh server can be asked about. docs/testing.md is not among
// them: its tables hold every word of a question about charges, and answer none.

import { glob, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { PROJECT } from "./command.ts";
import { headOf } from "./ingest/head.ts";
import { Server } from "./ingest/server.ts";

const DOCUMENTS = ["README.md", "docs/{client,decisions,operating,protocol,storage}.md"];

/** Loads them unless the server holds documents already: then they are its operator's business. */
export async function loadDocuments(url: string, operatorToken: string): Promise<void> {
  const server = new Server(url, operatorToken);
  if (!(await server.isEmpty())) return;
  for await (const path of glob(DOCUMENTS, { cwd: PROJECT })) {
    const id = basename(path, ".md").toLowerCase();
    const text = await readFile(join(PROJECT, path), "utf8");
    await server.put(id, { title: headOf(text).title ?? id, text, url: null });
  }
}
