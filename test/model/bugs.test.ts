/// <reference types="vite/client" />
// Every seeded bug still fits into the source.
// `npm run test:seeded` checks that the histories find them;
// that takes minutes.

import { expect, it } from "vitest";
import { BUGS, withBug } from "./bugs.ts";

const source = import.meta.glob<string>("../../src/**/*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});

it.each(Object.entries(BUGS))('the bug "%s" can be seeded', (name, edits) => {
  for (const { file } of edits) {
    const text = source[`../../src/${file}`] ?? "";
    expect(withBug(name, file, text)).not.toBe(text);
  }
});
