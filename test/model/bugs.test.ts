/// <reference types="vite/client" />
// Every bug that the histories must find still fits into the source. That they are found is for
// `npm run test:seeded`, which takes minutes.

import { expect, it } from "vitest";
import { BUGS, withBug } from "./bugs.ts";

const source = import.meta.glob<string>("../../src/**/*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});

it.each(Object.entries(BUGS))("%s can be put in", (name, edits) => {
  for (const { file } of edits) {
    const text = source[`../../src/${file}`] ?? "";
    expect(withBug(name, file, text)).not.toBe(text);
  }
});
