// Rows about what operators may see and do.

import { movement } from "./cost.ts";
import type { Row } from "./deployment.ts";
import { expect, expectSame, expectShape, Skipped } from "./expectation.ts";
import { expectRefusal } from "./refusals.ts";
import * as shapes from "./shapes.ts";
import { begun, toEnd } from "./stream.ts";

const TEXT_BYTES_MAX = 1024 * 1024;

export const OPERATORS: readonly Row[] = [
  {
    name: "an operator sees a user, and the name is decoded once",
    async check({ user, operator, variables }) {
      const name = user.user;
      const escaped = Buffer.from(name).toString("hex").replace(/../g, "%$&");
      const body = await operator.json("GET", `/admin/users/${escaped}`);
      const { limit, windows, queries, ...seen } = expectShape(shapes.Inspection, body, "the view");
      expectSame(seen.user, name, "its user");
      const [newest] = await user.receipts(1);
      const hidden = { query: null, answer: null, sources: null };
      const shared = variables.SHARE_QUERIES === "true" ? newest : { ...newest, ...hidden };
      expectSame(queries[0], shared, "its newest query");
      const quota = await user.quota();
      const window = windows.find((candidate) => candidate.window === newest?.window);
      expectSame(
        [limit, window?.reserved, window?.charged, window?.refunded],
        [quota.limit, quota.reserved, quota.charged, quota.refunded],
        "its limit and window",
      );
      const path = `/admin/users/${escaped.replaceAll("%", "%25")}`;
      expectRefusal(await operator.call("GET", path), 404, "NOT_FOUND", "a name escaped twice");
      return `${queries.length} queries, ${seen.storageBytes} bytes`;
    },
  },
  {
    name: "looking at an unknown user creates nothing",
    async check({ operator }) {
      const path = `/admin/users/${crypto.randomUUID()}`;
      for (const [method, route] of [
        ["GET", path],
        ["POST", `${path}/queries/1/refund`],
        ["DELETE", path],
        ["GET", path],
      ] as const) {
        expectRefusal(await operator.call(method, route), 404, "NOT_FOUND", `${method} ${route}`);
      }
      return "404 each time";
    },
  },
  {
    name: "an operator sets and unsets a user's limit",
    async check(deployment) {
      const { user, operator, userPath } = deployment;
      const { limit, refunded } = await user.quota();
      await deployment.during({ limit: limit + 1, refundLimit: refunded + 1 }, async () => {
        expectSame((await user.quota()).limit, limit + 1, "the limit");
      });
      expectSame((await user.quota()).limit, limit, "the limit without an override");
      for (const body of [{ limit: -1 }, { limit: "1" }, { blocked: 1 }, { quota: 1 }]) {
        const reply = await operator.call("PATCH", userPath, { body });
        const { message } = expectRefusal(reply, 400, "INVALID_REQUEST", JSON.stringify(body));
        const field = Object.keys(body)[0] ?? "";
        expect(message.includes(`"${field}"`), `${JSON.stringify(body)}: ${message}`);
      }
      return "at once";
    },
  },
  {
    name: "an operator refunds an answer once, and the user keeps it",
    async check({ user, operator, userPath, question }) {
      const exchange = user.ask(question);
      const queryId = await begun(exchange);
      const { answer } = await toEnd(exchange);
      const receipt = await user.resolved(queryId);
      const before = await user.quota();
      for (const time of ["first", "second"]) {
        await operator.json("POST", `${userPath}/queries/${queryId}/refund`);
        const { resolvedAt, ...refunded } = await user.receipt(queryId);
        const wanted = { ...receipt, state: "refunded", reason: "operator", resolvedAt: undefined };
        expectSame(refunded, wanted, `the receipt after the ${time} refund`);
        const moved = movement(before, await user.quota());
        expectSame(moved, { reserved: 0, charged: -1, refunded: 1 }, "the movement");
      }
      const again = user.exchange("GET", `/api/v1/ai/queries/${queryId}/events`);
      expectSame((await toEnd(again)).answer, answer, "the answer that is read again");
      return "charged, then refunded as operator";
    },
  },
  {
    name: "a document is put, read, replaced and deleted",
    async check(deployment) {
      const { operator, document } = deployment;
      const id = `${document.id}/a b%20\u5f35`;
      const path = `/admin/documents/${encodeURIComponent(id)}`;
      const url = "https://example.com/conformance";
      const statuses: number[] = [];
      for (const text of ["One \u2028 text.", "Another text."]) {
        const title = "A document that is tested";
        const body = deployment.documentBody({ title, text, url });
        statuses.push((await operator.call("PUT", path, { body })).status);
        const read = (await operator.json("GET", path)) as Record<string, unknown>;
        expectSame([read.id, read.title, read.text, read.url], [id, title, text, url], "it");
      }
      expectSame(statuses, [201, 200], "the statuses of putting it twice");
      const list = (await operator.json("GET", "/admin/documents?limit=1")) as {
        documents: readonly unknown[];
      };
      expectSame(list.documents.length, 1, "the length of a list of 1");
      const { status } = await operator.call("DELETE", path);
      expectSame(status, 200, "the status of deleting it");
      expectRefusal(await operator.call("GET", path), 404, "NOT_FOUND", "a deleted document");
      expectRefusal(await operator.call("DELETE", path), 404, "NOT_FOUND", "deleting it again");
      return id;
    },
  },
  {
    name: "a document that is wrong or too large is refused",
    async check({ operator, document }) {
      const path = `/admin/documents/${document.id}-refused`;
      const { title, text } = document;
      for (const body of [{ text }, { title }, { title: "", text }, { title, text, author: "x" }]) {
        const reply = await operator.call("PUT", path, { body });
        expectRefusal(reply, 400, "INVALID_REQUEST", JSON.stringify(body));
      }
      const body = { title, text: "x".repeat(TEXT_BYTES_MAX + 1) };
      expectRefusal(await operator.call("PUT", path, { body }), 413, "PAYLOAD_TOO_LARGE");
      const plain = { body: "x", headers: { "content-type": "text/plain" } };
      expectRefusal(await operator.call("PUT", path, plain), 415, "UNSUPPORTED_MEDIA_TYPE");
      expectRefusal(await operator.call("GET", path), 404, "NOT_FOUND", "a refused document");
      return "400, 413 and 415";
    },
  },
  {
    name: "an answer uses the documents",
    async check(deployment) {
      const { receipt } = await deployment.answer();
      const [found] = (receipt.sources ?? []).filter(
        ({ documentId }) => documentId === deployment.document.id,
      );
      if (found === undefined && deployment.variables.RETRIEVER === "vector") {
        throw new Skipped("vectors are found only after some time");
      }
      expect(found !== undefined, "its sources lack the document that the question is about");
      expectSame(found.title, deployment.document.title, "the source's title");
      expect(found.id.startsWith(`${found.documentId}#`), `the source's id is ${found.id}`);
      return `source ${found.n}, score ${found.score}`;
    },
  },
  {
    name: "the audit finds every counter right, and nothing reserved",
    async check(deployment) {
      const { audit, reservations } = await deployment.inspect();
      expectSame(audit, { ok: true, differences: [] }, "the audit");
      expectSame(reservations, [], "what is reserved");
      return "ok";
    },
  },
];
