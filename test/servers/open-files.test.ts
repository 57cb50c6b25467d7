// What a server says at its start about how many files it may open.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fewFiles } from "../../scripts/open-files.ts";
import { PROJECT } from "../support/command.ts";

const SENTENCE =
  /^This process may have 2,000 files open\. That is enough for fewer than 400 users within ten seconds; /m;

describe("a limit of open files", () => {
  test.each([10_000, 1_048_576, "unlimited", undefined] as const)("of %s is not said", (max) => {
    expect(fewFiles(max)).toBeUndefined();
  });

  test("of one below 10,000 is said with the users that it is enough for", () => {
    expect(fewFiles(9_999)).toMatch(/ 9,999 files .* fewer than 1,999 users /);
    expect(fewFiles(2_000)).toMatch(SENTENCE);
  });

  test("that the shell has lowered is said before the server is ready", async () => {
    const folder = await mkdtemp(join(tmpdir(), "belay-files-"));
    const script = join(PROJECT, "scripts/serve.ts");
    const child = spawn(
      "/bin/sh",
      ["-c", 'ulimit -n 2000; exec "$0" "$@"', process.execPath, script].concat([
        "--port=0",
        `--persist-to=${folder}/data`,
      ]),
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const ended = once(child, "exit");
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    try {
      for await (const text of child.stdout.setEncoding("utf8")) {
        if (text.includes("Belay is ready")) break;
      }
      expect(said).toMatch(SENTENCE);
    } finally {
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    }
  });
});
