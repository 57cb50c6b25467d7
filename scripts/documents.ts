// The project's own documents, README.md and docs/*.md: what a fresh server can be asked about.

import { glob, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { Failure, PROJECT } from "./command.ts";

/** Loads them unless the server holds documents already: then they are its operator's business. */
export async function loadDocuments(url: string, operatorToken: string): Promise<void> {
  const list = (await send("GET", "", undefined)) as { documents: readonly unknown[] };
  if (list.documents.length > 0) return;
  for await (const path of glob(["README.md", "docs/*.md"], { cwd: PROJECT })) {
    const id = basename(path, ".md").toLowerCase();
    const text = await readFile(join(PROJECT, path), "utf8");
    const title = /^# (.+)$/m.exec(text)?.[1]?.trim() ?? id;
    await send("PUT", `/${encodeURIComponent(id)}`, { title, text });
  }

  async function send(method: string, path: string, body: unknown): Promise<unknown> {
    const response = await fetch(`${url}/api/v1/admin/documents${path}`, {
      method,
      headers: { authorization: `Bearer ${operatorToken}`, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const answer = await response.text();
    if (!response.ok) {
      throw new Failure(`The documents could not be loaded: ${response.status} ${answer}`);
    }
    return answer === "" ? undefined : JSON.parse(answer);
  }
}
