// Collections for tests, and users who may read some of them. Names are new in
// each test, so that no test sees another's documents.

import { asOperator, bearer, TestUser } from "../harness.ts";
import { variables } from "../worker.ts";

let number = 0;

/** A name that no other test uses. */
export function newName(words = "c"): string {
  number += 1;
  return `${words}-${number}-${crypto.randomUUID().slice(0, 8)}`;
}

export async function put(
  collection: string,
  id: string,
  text: string,
  title = "A page",
): Promise<Response> {
  return asOperator(`/admin/collections/${collection}/documents/${id}`, {
    method: "PUT",
    body: JSON.stringify({ title, text }),
  });
}

/** A collection with one document. */
export async function newCollection(text: string, title?: string): Promise<string> {
  const name = newName();
  const response = await put(name, "page", text, title);
  if (response.status !== 201) throw new Error(await response.text());
  return name;
}

/**
 * A user whose answers quote passages.
 * @param collections The claim; undefined leaves it out.
 */
export async function newReader(
  collections?: unknown,
  settings: Record<string, string> = {},
  name = newName("reader"),
): Promise<TestUser> {
  variables.set(name, {
    ...{ GENERATOR: "extractive", EXTRACTIVE_TOKENS_PER_SECOND: "0", QUOTA_LIMIT: "1000000" },
    DELIVERY_HOLD_MS: "0",
    ...settings,
  });
  const claims = { sub: name, ...(collections !== undefined && { collections }) };
  return new TestUser(name, await bearer(claims));
}
