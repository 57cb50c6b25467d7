// A corpus object for one test, reached over HTTP as operators reach it.

import { env } from "cloudflare:workers";
import type { DocumentEntry } from "../../src/corpus/documents.ts";
import type { Examples } from "../../src/protocol.ts";

export const DOCUMENTS = "https://belay.test/api/v1/admin/documents";
export const EXAMPLES = "https://belay.test/api/v1/ai/examples";

export function newCorpus() {
  const name = crypto.randomUUID();
  // A stub breaks when its object is aborted.
  const newStub = () => env.CORPUS.getByName(name);
  const send = (method: string, path: string, body?: unknown) =>
    newStub().fetch(`${DOCUMENTS}${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const put = (id: string, body: unknown) => send("PUT", `/${encodeURIComponent(id)}`, body);
  const list = async () =>
    (await (await send("GET", "?limit=200")).json<{ documents: DocumentEntry[] }>()).documents;
  const examples = async () => (await newStub().fetch(EXAMPLES)).json<Examples>();
  return { name, stub: newStub(), newStub, send, put, list, examples };
}
