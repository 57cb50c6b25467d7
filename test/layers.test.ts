// The house keeps its order: which rooms of src may import which. A type-only import counts like any other.

import { expect, it } from "vitest";

const files = import.meta.glob<string>("../src/**/*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});

const LEAVES = [
  ...["protocol", "errors", "text", "config", "request", "response"],
  ...["deadline", "alarm", "digest", "origin", "endpoint"],
];
/** The interfaces that adapters implement, and nothing else of answer/, which knows no adapter. */
const ANSWER = ["answer/generator", "answer/retriever"];
/** The same of corpus/. */
const VECTORS = ["corpus/embedder"];
const INTERFACES = [...ANSWER, ...VECTORS];

/** What each room may import besides itself. A file directly in src, or an interface, is a room of its own. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  worker: ["edge", "user", "corpus", "config"],
  edge: ["user", ...LEAVES],
  user: ["answer", ...LEAVES],
  answer: [...ANSWER, ...LEAVES],
  "answer/generator": [...ANSWER, ...LEAVES],
  "answer/retriever": LEAVES,
  generators: [...ANSWER, ...LEAVES],
  retrievers: [...INTERFACES, "corpus", ...LEAVES],
  vectors: [...VECTORS, ...LEAVES],
  corpus: [...VECTORS, ...LEAVES],
  "corpus/embedder": [],
  // Both ends of the wire share its description, and nothing else.
  client: ["protocol"],
  web: ["client", "protocol", "text"],
  // The only place where an adapter or an object is named.
  config: [
    ...INTERFACES,
    ...["user", "retrievers", "generators", "vectors", "corpus"],
    ...["errors", "protocol", "origin", "endpoint", "variables"],
  ],
  request: ["errors", "protocol"],
  deadline: ["errors"],
  endpoint: [],
  response: ["protocol"],
  alarm: [],
  digest: [],
  origin: [],
  errors: ["protocol"],
  // What the Worker's configuration and the commands share.
  variables: [],
  text: [],
  protocol: [],
};

it("lets each room import only what lies below it, and the leaves", () => {
  const breaches: string[] = [];
  for (const [path, text] of Object.entries(files)) {
    const importer = path.slice("../src/".length);
    const room = roomOf(importer);
    for (const [, specifier = ""] of text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      const imported = new URL(specifier, `file:///${importer}`).pathname.slice(1);
      if (roomOf(imported) === room) continue;
      if (!MAY_IMPORT[room]?.includes(roomOf(imported))) {
        breaches.push(`${importer} imports ${imported}`);
      }
    }
  }
  expect(breaches).toEqual([]);
});

it("knows every room", () => {
  const rooms = new Set(Object.keys(files).map((path) => roomOf(path.slice("../src/".length))));
  expect([...rooms].sort()).toEqual(Object.keys(MAY_IMPORT).sort());
});

function roomOf(file: string): string {
  const name = file.replace(/\.ts$/, "");
  return INTERFACES.includes(name) ? name : (name.split("/")[0] as string);
}
