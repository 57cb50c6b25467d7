// The environment of a test run, for its files and all that they start.
// A configuration imports it.

import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";

process.env.WRANGLER_SEND_METRICS = "false";
// Where bundle.ts puts the bundle.
process.env.BELAY_TEST_BUNDLE = join(tmpdir(), `belay-bundle-${randomUUID()}`);
// The commands and wrangler start some three hundred times: Node compiles them once.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "../../node_modules/.compile-cache");
