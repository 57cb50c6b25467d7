// The outcome of an ask for every shape of test/support/model-streams.ts,
// over real sockets on both sides. The table in docs/testing.md
// lists what was seen; UPDATE_DOCS=1 rewrites it.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SECRET as HIDDEN, SHAPES, type Shape } from "../support/model-streams.ts";
import { type ScriptedServer, SECRET, startScriptedServer } from "../support/server.ts";
import { User } from "../support/user.ts";

const DOCS = join(import.meta.dirname, "../../docs/testing.md");
const HEAD = "| what the model sends | the answer | what it costs |";

let server: ScriptedServer;
const seen = new Map<Shape, string>();

beforeAll(async () => {
  server = await startScriptedServer({ inMemory: true, vars: { DELIVERY_HOLD_MS: "20" } });
});
afterAll(() => server.stop());

describe.concurrent("a model's stream", () => {
  test.each(SHAPES)("$what: $ends", async (shape) => {
    const user = await User.on(server.url, SECRET);
    const exchange = user.ask({ frames: [...shape.frames] });
    await exchange.untilEnd(20_000);
    const receipt = await user.resolved();
    const last = exchange.events.at(-1);
    const ends = last?.type === "done" ? last.finish : last?.type === "error" && last.code;
    seen.set(shape, `${ends}, ${receipt.state}`);

    expect(ends).toBe(shape.ends);
    expect(exchange.text).not.toContain(HIDDEN);
    const isCharged = last?.type === "done";
    expect(receipt).toMatchObject(
      isCharged
        ? { state: "charged", answer: shape.answer, finish: shape.ends }
        : { state: "refunded", reason: "failed", answer: null },
    );
    const used = { charged: Number(isCharged), refunded: Number(!isCharged), reserved: 0 };
    expect(await user.quota()).toMatchObject(used);
    if (last?.type === "error") expect(last.message.split("You were not charged")).toHaveLength(2);
    if (last?.type !== "done") return;
    expect(exchange.answer).toBe(shape.answer);
    expect(last.sources.filter(({ cited }) => cited).map(({ n }) => n)).toEqual(
      shape.answer?.includes("[1]") ? [1] : [],
    );
  });
});

test("docs/testing.md lists the outcomes that were seen", async () => {
  const rows = SHAPES.map((shape) => {
    const [ends, state] = (seen.get(shape) ?? "not seen, not seen").split(", ");
    return `| ${shape.what.replaceAll("|", "\\|")} | ${ends} | ${state} |`;
  });
  const docs = await readFile(DOCS, "utf8");
  const start = docs.search(/^\| what the model sends +\|/m);
  const end = docs.indexOf("\n\n", start);
  const table = [HEAD, "| --- | --- | --- |", ...rows].join("\n");
  if (process.env.UPDATE_DOCS === "1") {
    await writeFile(DOCS, docs.slice(0, start) + table + docs.slice(end));
  } else expect(unpadded(docs.slice(start, end))).toBe(table);
});

/** The formatter pads the columns of tables. */
function unpadded(table: string): string {
  return table.replaceAll(/ {2,}/g, " ").replaceAll(/-{3,}/g, "---");
}
