// What an ask searched is recorded, on every surface: in the receipt, in the
// export, in the operators' list of queries and its filter, and in the log.

import { afterEach, describe, expect, it, vi } from "vitest";
import type { Receipt } from "../../src/protocol.ts";
import type { ShownQuery } from "../../src/shown.ts";
import { reported } from "../directory/reporting.ts";
import { adminPath, asOperator, eventually, type TestUser } from "../harness.ts";
import { newCollection, newName, newReader } from "./collection.ts";
import { askOn, SURFACES } from "./surfaces.ts";

const TEXT = "A ferret may sleep in the hammock for eighteen hours.";

afterEach(() => vi.restoreAllMocks());

const receiptsOf = async (user: TestUser) =>
  eventually(
    () => user.receipts(),
    (receipts) => receipts.length > 0 && receipts.every(({ state }) => state !== "reserved"),
  );

async function exported(user: TestUser): Promise<Receipt[]> {
  const lines = (await (await asOperator(`${adminPath(user)}/export`)).text()).trim().split("\n");
  return lines.slice(1).map((line) => JSON.parse(line));
}

const listed = async (user: TestUser, collection: string) => {
  const name = encodeURIComponent(user.name);
  const path = `/admin/queries?user=${name}&collection=${collection}`;
  return (await (await asOperator(path)).json<{ queries: ShownQuery[] }>()).queries;
};

describe.each(Object.keys(SURFACES))("an ask on the surface %s", (surface) => {
  it("has recorded which collections it searched", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const [one, other] = [await newCollection(TEXT), await newCollection(TEXT)];
    const user = await newReader([one, other]);
    const query = `How long may a ferret sleep? ${newName()}`;
    for (const named of [[one], undefined]) {
      const response = await askOn(surface, user, query, named);
      expect([response.status, await response.text()]).toEqual([200, expect.any(String)]);
    }
    const both = [one, other].sort();
    const receipts = await receiptsOf(user);
    expect(receipts.map(({ collections }) => collections)).toEqual([both, [one]]);
    expect((await exported(user)).map(({ collections }) => collections)).toEqual([[one], both]);
    await reported(user);
    expect((await listed(user, one)).map(({ collections }) => collections)).toEqual([both, [one]]);
    expect((await listed(user, other)).map(({ collections }) => collections)).toEqual([both]);
    expect(await listed(user, "default")).toEqual([]);
    const lines = log.mock.calls
      .map(([line]) => `${line}`)
      .filter((line) => line.includes("query"));
    for (const { queryId, collections } of receipts) {
      const line = lines.find(
        (text) => text.includes(user.stub.id.toString()) && text.includes(queryId),
      );
      expect(JSON.parse(line ?? "{}")).toMatchObject({ collections });
    }
  });
});

it("an ask without a claim has searched default", async () => {
  const user = await newReader();
  await (await user.askForJson("How long may a ferret sleep?")).text();
  expect((await receiptsOf(user)).map(({ collections }) => collections)).toEqual([["default"]]);
});
