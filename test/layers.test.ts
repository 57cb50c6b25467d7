// Each layer imports only the layers below it. Type-only imports count.

import { expect, it } from "vitest";

const files = import.meta.glob<string>("../src/**/*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});

const allFiles = import.meta.glob<string>("../src/**/*.{ts,css,html}", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** Every layer of the Worker may import these. */
const LEAVES = [
  ...["protocol", "errors", "text", "config", "kept", "request", "collections"],
  ...[
    "deadline",
    "alarm",
    "digest",
    "origin",
    "endpoint",
    "upstream",
    "schema",
    "workers-ai",
    "database",
  ],
  ...["report", "accent", "window", "loan", "budget-config", "shown"],
];

/** A layer is a folder of src, or a file directly in it. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  worker: ["edge", "wiring"],
  edge: ["wiring", "user", "formats", "mcp", ...LEAVES],
  mcp: ["answer", ...LEAVES],
  // Commands run it, so it imports nothing that needs the runtime.
  openapi: ["user", "corpus", "directory", "budget", "formats", "protocol", "errors"],
  wiring: [
    "user",
    "retrievers",
    "generators",
    "embedders",
    "rerankers",
    "corpus",
    "directory",
    "budget",
    "answer",
    ...LEAVES,
  ],
  budget: ["formats", ...LEAVES],
  directory: ["formats", "answer", ...LEAVES],
  user: ["formats", "answer", ...LEAVES],
  retrievers: ["corpus", "answer", ...LEAVES],
  embedders: ["answer", ...LEAVES],
  rerankers: ["answer", ...LEAVES],
  corpus: ["formats", "answer", "intake", ...LEAVES],
  // Runs in commands too, so it imports nothing of the Worker.
  intake: ["text"],
  generators: ["answer", ...LEAVES],
  formats: ["answer", ...LEAVES],
  answer: LEAVES,
  // Browsers get these, so they import nothing of the Worker.
  web: ["client", "intake", "protocol", "text", "accent", "report", "shown"],
  client: ["protocol"],
  request: ["deadline", "errors", "protocol"],
  config: ["collections", "errors", "kept", "protocol"],
  collections: ["errors", "protocol"],
  kept: [],
  accent: [],
  errors: ["protocol"],
  origin: ["text"],
  alarm: [],
  schema: [],
  database: ["errors", "schema"],
  deadline: [],
  digest: [],
  endpoint: [],
  upstream: ["deadline", "endpoint", "errors"],
  "workers-ai": [],
  text: [],
  report: ["protocol"],
  shown: ["protocol", "report"],
  loan: [],
  window: ["protocol"],
  "budget-config": ["config", "kept", "protocol"],
  protocol: [],
};

const imports = new Map<string, readonly string[]>(
  Object.entries(files).map(([path, text]) => {
    const importer = path.slice("../src/".length);
    return [importer, importsOf(importer, text)];
  }),
);

it("lets each layer import only the layers below it", () => {
  const breaches = [...imports].flatMap(([importer, imported]) =>
    imported
      .filter((file) => layerOf(file) !== layerOf(importer))
      .filter((file) => !MAY_IMPORT[layerOf(importer)]?.includes(layerOf(file)))
      .map((file) => `${importer} imports ${file}`),
  );
  expect(breaches).toEqual([]);
});

it("has no import circle between files or layers", () => {
  expect(circleIn(imports)).toBeUndefined();
  expect(circleIn(new Map(Object.entries(MAY_IMPORT)))).toBeUndefined();
});

it("has no file over 450 lines, and keeps the user object under 400", () => {
  const tooLong = Object.entries(allFiles)
    .map(([path, text]) => ({ path, lines: text.split("\n").length - 1 }))
    .filter(({ path, lines }) => lines > (path.endsWith("/user-object.ts") ? 399 : 450));
  expect(tooLong).toEqual([]);
});

it("knows every layer", () => {
  const layers = new Set([...imports.keys()].map(layerOf));
  expect([...layers].sort()).toEqual(Object.keys(MAY_IMPORT).sort());
});

it("finds a circle where there is one", () => {
  const graph = { a: ["b", "d"], b: ["c"], c: ["b"], d: [] };
  expect(circleIn(new Map(Object.entries(graph)))).toEqual(["b", "c", "b"]);
});

function importsOf(importer: string, text: string): string[] {
  const specifiers = text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
  return Array.from(specifiers, ([, specifier = ""]) =>
    new URL(specifier, `file:///${importer}`).pathname.slice(1),
  );
}

function layerOf(file: string): string {
  return file.replace(/\.ts$/, "").split("/")[0] as string;
}

/** The first circle found by following the edges. */
function circleIn(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const walk = (node: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const circle = walk(next, [...path, node]);
      if (circle !== undefined) return circle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const circle = walk(node, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
