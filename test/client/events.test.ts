// The client's reader of event streams, wherever the bytes are cut.

import { describe, expect, it } from "vitest";
import { readEvents } from "../../src/client/events.ts";

const STREAMS: readonly (readonly [name: string, stream: string, numbers: readonly number[]])[] = [
  ["line feeds", "data: 1\n\ndata: 2\n\n", [1, 2]],
  ["carriage returns", "data: 1\r\rdata: 2\r\r", [1, 2]],
  ["both", "data: 1\r\n\r\ndata: 2\r\n\r\n", [1, 2]],
  ["a byte order mark", "\uFEFFdata: 1\n\n", [1]],
  [
    "comments and other fields",
    ": a\nevent: b\nid: 7\nretry: 5\ndata: 1\ndatax: 9\n\n: c\n\n",
    [1],
  ],
  ["data of several lines", "data: [\ndata:1\ndata\ndata: ]\n\n", [1]],
  ["data without a blank, and with two", "data:1\n\ndata:  2\n\n", [1, 2]],
  ["an event that is cut off", 'data: 1\n\ndata: {"a"\n', [1]],
  ["empty lines", "\n\n\ndata: 1\n\n\n\n", [1]],
];

describe.each([1, 2, 3, 1_000])("in packets of %i bytes", (size) => {
  it.each(STREAMS)("events with %s are read", async (_, stream, numbers) => {
    expect((await read(new TextEncoder().encode(stream), size)).flat()).toEqual(numbers);
  });

  it("a character is read whole", async () => {
    expect(await read(new TextEncoder().encode('data: "é文👩‍👧"\n\n'), size)).toEqual(["é文👩‍👧"]);
  });
});

it("a stream that is none is refused", async () => {
  await expect(read(new TextEncoder().encode("data: x\n\n"), 3)).rejects.toThrow(SyntaxError);
});

it.each(["data: ", "", ": "])("a line of 5 MiB after %j is refused", async (start) => {
  const bytes = new TextEncoder().encode(start + "x".repeat(5 * 1024 * 1024));
  await expect(read(bytes, 65_536)).rejects.toThrow("too long");
});

/** The events of a body in packets of one size. */
async function read(bytes: Uint8Array, size: number): Promise<unknown[]> {
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at + size));
      at += size;
    },
  });
  const events: unknown[] = [];
  const { signal } = new AbortController();
  await readEvents(
    body,
    signal,
    () => {},
    (event) => events.push(event),
  );
  return events;
}
