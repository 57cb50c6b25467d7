// What the API says of a fixture's users and documents, without what depends on the day.

import type { Receipt } from "../../../src/protocol.ts";
import { SECRET } from "../../support/server.ts";
import { bearer, request } from "../../support/socket-client.ts";

/** Nothing is pruned because a fixture is old. */
export const VARS = { RETENTION_DAYS: "36500", ANONYMOUS_LIMIT: "5", DELIVERY_HOLD_MS: "20" };

export interface Seen {
  readonly receipts: readonly Partial<Receipt>[];
  readonly alice: UserView;
  readonly bob: UserView;
  readonly documents: readonly unknown[];
  readonly texts: readonly string[];
  readonly passages: readonly unknown[];
}

interface UserView {
  readonly limit: number;
  readonly refundLimit: number;
  readonly blocked: boolean;
  readonly windows: readonly Record<string, unknown>[];
  readonly audit: unknown;
}

export async function lookAt(url: string): Promise<Seen> {
  const api = `${url}/api/v1`;
  const operator = await bearer(SECRET, { user: "operator", operator: true });
  const get = async <Body>(path: string, token = operator) =>
    (await request<Body>(`${api}${path}`, { token })).body;
  const alice = await bearer(SECRET, { user: "alice" });
  const { queries } = await get<{ queries: Receipt[] }>("/ai/queries?limit=100", alice);
  const { documents } = await get<{ documents: { id: string }[] }>("/admin/documents");
  const texts = documents.map(({ id }) => get<{ text: string }>(`/admin/documents/${id}`));
  const search = "/admin/documents?search=roses%20in%20spring";
  const { passages } = await get<{ passages: { score: number; text: string }[] }>(search);
  return {
    // Times are moved to the day of the test.
    // Earlier releases did not say what was searched or found, what a rewrite
    // cost, nor whether a budget was used up.
    receipts: queries.map((receipt) => {
      const {
        askedAt,
        resolvedAt,
        collections,
        found,
        rewriteMs,
        rewriteTokens,
        fallback,
        ...rest
      } = receipt;
      return rest;
    }),
    alice: view(await get<UserView>("/admin/users/alice")),
    bob: view(await get<UserView>("/admin/users/bob")),
    documents,
    texts: (await Promise.all(texts)).map(({ text }) => text),
    // How well each fits is the present release's own.
    passages: passages.map(({ score: _, ...passage }) => passage),
  };
}

function view({ limit, refundLimit, blocked, windows, audit }: UserView): UserView {
  return {
    limit,
    refundLimit,
    blocked,
    // As their names were in the first edition.
    windows: windows.map(({ window, reserved, charged, refunded, remaining }) => {
      return { window, reserved, charged, refunded, remaining };
    }),
    audit,
  };
}
