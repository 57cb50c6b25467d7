// The rendering core, which the page and the element share, stays small.

import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { analyzeMetafile, build } from "esbuild";
import { expect, it } from "vitest";
import { PROJECT } from "../../scripts/command.ts";
import { BUNDLING } from "../../scripts/page.ts";

/** Compressed with `gzip -9`. */
const CORE_BYTES_MAX = 8_000;

it("the rendering core is at most 8,000 bytes compressed", async () => {
  const { outputFiles, metafile } = await build({
    ...BUNDLING,
    entryPoints: [join(PROJECT, "src/web/growing-markdown.ts")],
    write: false,
    metafile: true,
  });
  const bytes = gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
  // An empty bundle would be small too.
  expect(bytes).toBeGreaterThan(CORE_BYTES_MAX / 2);
  expect(bytes, await analyzeMetafile(metafile)).toBeLessThanOrEqual(CORE_BYTES_MAX);
});
