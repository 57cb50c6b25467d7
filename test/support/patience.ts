// `vi.waitFor` gives up after a second unless a test says otherwise. On a busy
// machine that is short, and a test that passes does not wait any longer.

import { vi } from "vitest";

const PATIENCE_MS = 20_000;

const { waitFor } = vi;

vi.waitFor = (look, options) =>
  waitFor(look, {
    timeout: PATIENCE_MS,
    ...(typeof options === "number" ? { timeout: options } : options),
  });
