import fc from "fast-check";
import { expect, it } from "vitest";
import { EventStream } from "../../src/generators/event-stream.ts";

const LENGTH_MAX = 40;

/** What the handlers are told, and the open line after each part. */
function read(parts: readonly string[]): string[] {
  const told: string[] = [];
  const stream = new EventStream(LENGTH_MAX, {
    onEvent: (name, data) => told.push(JSON.stringify({ name, data })),
    onOddLine: (line) => told.push(`odd: ${line}`),
    onTooLong: () => told.push("too long"),
  });
  for (const part of parts) stream.feed(part);
  told.push(`open: ${stream.openLine}`);
  stream.end();
  return told;
}

/** The same by splitting the whole text. Its lines are short. */
function readWhole(text: string): string[] {
  const told: string[] = [];
  let name = "";
  let data: string[] = [];
  const lines = text.split(/\r\n?|\n/);
  const open = lines.at(-1) ?? "";
  const endLine = (line: string) => {
    const [, field = line, value = ""] = /^([^:]*): ?(.*)$/s.exec(line) ?? [];
    if (line === "") {
      if (name !== "" || data.join("\n") !== "") {
        told.push(JSON.stringify({ name, data: data.join("\n") }));
      }
      name = "";
      data = [];
    } else if (field === "data") data.push(value);
    else if (field === "event") name = value;
    else if (!["", "id", "retry"].includes(field)) told.push(`odd: ${line}`);
  };
  for (const line of lines.slice(0, -1)) endLine(line);
  told.push(`open: ${open.length > 16 ? "" : open}`);
  endLine(open);
  endLine("");
  return told;
}

const piece = fc.constantFrom(
  ...["\n", "\r", "\r\n", "\n\n", ":", " ", "d", "data: a\n\n", "data: b\n", "data:", "data"],
  ...["event: e", "id: 1", "odd", "odd: x", "é"],
);

it("tells the same events, whatever the parts in which a text comes", () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 5 }),
      fc.array(fc.nat({ max: 40 }), { maxLength: 6 }),
      (pieces, cuts) => {
        const text = pieces.join("");
        const ends = [...cuts.filter((cut) => cut < text.length), text.length].sort(
          (a, b) => a - b,
        );
        const parts = ends.map((end, i) => text.slice(ends[i - 1] ?? 0, end));
        expect(read(parts)).toEqual(readWhole(text));
      },
    ),
    { numRuns: 1_000 },
  );
});

it("tells that an event is too long, in one line or in many", () => {
  expect(read([`data: ${"a".repeat(LENGTH_MAX)}`])).toContain("too long");
  expect(read([`data: ${"a".repeat(30)}\n`, `data: ${"a".repeat(30)}`])).toContain("too long");
});
