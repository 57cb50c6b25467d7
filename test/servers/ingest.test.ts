// `npm run ingest`, against the real server: which files become which documents, and what happens when
// they change, go, or cannot be taken.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bearerToken } from "../../scripts/bearer-token.ts";
import { headOf } from "../../scripts/ingest/head.ts";
import { variables } from "../../scripts/variables.ts";
import { type RunningServer, startServer } from "../support/server.ts";

let folder: string;
let server: RunningServer;
let token: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belay-ingest-"));
  server = await startServer({ command: "serve", persistTo: join(folder, "data") });
  token = await bearerToken(await variables(), { user: "me", operator: true, seconds: 3_600 });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("a folder", () => {
  test("becomes documents, which follow its files", async () => {
    const docs = await files("guide", {
      "index.md": "---\ntitle: ignored\n---\n\n# The *guide*\n\nBegin with the rope.\n",
      "knots/figure-eight.md": "Tie a figure of eight.",
      "knots/notes.TXT": "A bowline is another knot.",
      "picture.png": "\0not for us",
      ".git/HEAD.md": "# Hidden",
      "node_modules/a/README.md": "# Somebody else's",
    });
    expect(await ingest([docs])).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /^(?:added guide\/.*: 1 passages\n){3}3 added, 0 replaced, 0 unchanged, 0 deleted, 0 skipped\.\n$/,
      ),
      stderr: "",
    });
    expect(await held("guide/")).toEqual({
      "guide/index.md": "The guide",
      "guide/knots/figure-eight.md": "figure eight",
      "guide/knots/notes.TXT": "notes",
    });
    expect(await document("guide/index.md")).toMatchObject({
      text: "# The *guide*\n\nBegin with the rope.\n",
      url: null,
    });

    expect((await ingest([docs])).stdout).toBe(
      "0 added, 0 replaced, 3 unchanged, 0 deleted, 0 skipped.\n",
    );

    await writeFile(join(docs, "index.md"), "# The guide\n\nBegin with the harness.\n");
    await rm(join(docs, "knots"), { recursive: true });
    await writeFile(join(docs, "new.md"), "# New\n\ntext");
    expect((await ingest([docs])).stdout).toMatch(
      /^1 added, 1 replaced, 0 unchanged, 0 deleted, 0 skipped\.$/m,
    );
    expect(Object.keys(await held("guide/"))).toHaveLength(4);
  });

  test("takes with it, when pruned, what has gone from it and nothing else", async () => {
    const docs = await files("prune", { "a.md": "# A\n\none", "b.md": "# B\n\ntwo", "c.md": "c" });
    const other = await files("prune-other", { "a.md": "# A\n\nother" });
    expect((await ingest([docs, other])).code).toBe(0);
    await rm(join(docs, "b.md"));
    // What is there but cannot be taken is not gone.
    await writeFile(join(docs, "c.md"), "\0");
    const pruned = await ingest([docs, "--prune"]);
    expect(pruned.stdout).toContain("deleted prune/b.md\n");
    expect(pruned).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("0 added, 0 replaced, 1 unchanged, 1 deleted, 1 skipped."),
    });
    expect(Object.keys(await held("prune"))).toEqual([
      "prune-other/a.md",
      "prune/a.md",
      "prune/c.md",
    ]);
  });

  test("that is empty deletes nothing", async () => {
    const docs = await files("emptied", { "a.md": "# A\n\none" });
    await ingest([docs]);
    await rm(join(docs, "a.md"));
    expect(await ingest([docs, "--prune"])).toMatchObject({
      code: 1,
      stderr: `${docs} has no file that ends in .md, .markdown, .txt.\n`,
    });
    expect(Object.keys(await held("emptied/"))).toHaveLength(1);
  });
});

test("files may have a prefix, and an address where readers find them", async () => {
  const docs = await files("a b", { "ü/c d.md": "# C\n\n## D\n\ntext" });
  const single = join(docs, "ü/c d.md");
  expect((await ingest([docs, "--prefix=one/", "--url=https://docs.example/x"])).code).toBe(0);
  expect((await ingest([single, "--prefix=two/"])).code).toBe(0);
  expect(await document("one/a b/ü/c d.md")).toMatchObject({
    url: "https://docs.example/x/%C3%BC/c%20d.md",
  });
  expect(await document("two/c d.md")).toMatchObject({ title: "C", url: null });
  // The address is the server's to keep where it is not said again.
  expect((await ingest([docs, "--prefix=one/"])).stdout).toMatch(/1 unchanged/);
});

test("what cannot be taken is named, and the rest goes on", async () => {
  const long = "x".repeat(130);
  const docs = await files("odd", {
    "binary.md": "text\0text",
    "latin.txt": Buffer.from([0x63, 0x61, 0x66, 0xe9]),
    "large.md": "x".repeat(1024 * 1024 + 1),
    "empty.md": "---\ntitle: nothing else\n---\n",
    [`${long}.md`]: "text",
    "whole.md": "x".repeat(1024 * 1024),
  });
  // Whatever lies outside of the folder was not meant to be read by everybody.
  const outside = join(docs, "..", "secret.md");
  await writeFile(outside, "secret");
  await symlink(outside, join(docs, "link.md"));
  const { code, stderr } = await ingest([docs]);
  expect(code).toBe(1);
  for (const line of [
    /^Skipped .*\/odd\/binary\.md: it is no text in UTF-8\.$/m,
    /^Skipped .*\/odd\/latin\.txt: it is no text in UTF-8\.$/m,
    /^Skipped .*\/odd\/large\.md: its text is 1048577 bytes long, and at most 1 MiB is taken\.$/m,
    /^Skipped .*\/odd\/empty\.md: there is nothing in it\.$/m,
    /^Skipped odd\/x+\.md: its id would not be 1 to 128 characters without control characters\.$/m,
    /^Skipped odd\/link\.md: it is a symbolic link: name what it leads to\.$/m,
    /^1 added, 0 replaced, 0 unchanged, 0 deleted, 6 skipped\.$/m,
  ]) {
    expect(stderr).toMatch(line);
  }
  expect(Object.keys(await held("odd/"))).toEqual(["odd/whole.md"]);
});

describe("a busy server", () => {
  let busy: Server;
  let url: string;
  let refusals: Record<string, string>[];
  let most = 0;

  beforeAll(async () => {
    let now = 0;
    busy = createServer(async (request, response) => {
      most = Math.max(most, ++now);
      response.once("close", () => {
        now -= 1;
      });
      request.resume();
      await once(request, "end");
      const refusal = request.method === "PUT" ? refusals.shift() : undefined;
      if (refusal !== undefined) {
        const { status = "", ...headers } = refusal;
        response.writeHead(Number(status), headers).end('{"message":"Not now."}');
      } else {
        setTimeout(
          () => response.end('{"documents":[],"after":null,"passages":1}'),
          request.method === "PUT" ? 20 : 0,
        );
      }
    }).listen(0, "127.0.0.1");
    await once(busy, "listening");
    url = `http://127.0.0.1:${(busy.address() as AddressInfo).port}`;
  });
  afterAll(() => busy.close());

  const some = () =>
    files("many", Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`${i}.md`, `${i}`])));

  test("is asked again, and never for too much at once", async () => {
    refusals = [{ status: "503", "retry-after": "1" }, { status: "429" }, { status: "503" }];
    const startedAt = Date.now();
    expect(await ingest([await some()], { url })).toMatchObject({ code: 0, stderr: "" });
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(1_000);
    expect(refusals).toEqual([]);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });

  test("that refuses one document gets the others", async () => {
    refusals = [{ status: "413" }];
    expect(await ingest([await some()], { url })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^Skipped many\/\d+\.md: Not now\.\n29 added, .* 1 skipped\.\n$/,
      ),
    });
  });

  test("that refuses whoever asks is left alone", async () => {
    refusals = Array(30).fill({ status: "403" });
    expect(await ingest([await some()], { url })).toMatchObject({
      code: 1,
      stderr: "The server refuses: Not now.\n",
    });
    expect(refusals.length).toBeGreaterThan(20);
  });
});

describe("is refused", () => {
  test.each([
    [[], "PATH is missing: which files?"],
    [["."], "--server is missing."],
    [
      [".", "--server=belay.example.com"],
      "--server must be the origin of a server: https://belay.example.com.",
    ],
    [
      [".", "--server=http://a.b/api/v1"],
      "--server must be the origin of a server: https://belay.example.com.",
    ],
    [[".", "--server=http://a.b"], "--token is missing, and so is BELAY_TOKEN."],
    [[".", "--server=http://a.b", "--token=a b"], "--token must be a bearer token."],
    [
      [".", "--server=http://a.b", "--token=t", "--url=docs"],
      "--url must be an http or https URL, or a path from /.",
    ],
    [
      ["package.json", "--server=http://a.b", "--token=t", "--prune"],
      "--prune goes with a folder.",
    ],
    [
      ["docs", "docs", "--server=http://a.b", "--token=t"],
      /^Two files would be the document docs\/\S+: put them in apart, with --prefix\.$/,
    ],
    [["--sever=http://a.b"], "Unknown option '--sever'."],
  ] as const)("%j", async (args, message) => {
    const { code, stdout, stderr } = await typed(args, {});
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    const [, said] = /^(.*) --help tells more\.\n$/s.exec(stderr) ?? [];
    if (typeof message === "string") expect(said).toBe(message);
    else expect(said).toMatch(message);
  });

  test("a path that is not there, a server that is not there, and a user's token", async () => {
    const to = { BELAY_TOKEN: token };
    expect(await typed(["nowhere", `--server=${server.url}`], to)).toMatchObject({
      code: 1,
      stderr: "nowhere is not there.\n",
    });
    expect(await typed(["docs", "--server=http://127.0.0.1:9"], to)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^The server cannot be reached: .*\n$/),
    });
    const user = await bearerToken(await variables(), { user: "me", seconds: 60 });
    expect(await typed(["docs", `--server=${server.url}`, `--token=${user}`], {})).toMatchObject({
      code: 1,
      stderr: "The server refuses: Only a bearer token with the scope operator may do this.\n",
    });
  });
});

describe("the head of a text", () => {
  test.each([
    ["# A\n\ntext", "A", "# A\n\ntext"],
    ["text\n\n## `B` & [C](d) **e** _f_ g_h ##\n", "B & C e f g_h", undefined],
    ["Title\r\n=====\r\ntext", "Title", undefined],
    ["```\n# code\n```\n\n# A", "A", undefined],
    ["#tag\n\n####### seven", undefined, undefined],
    ["---\ntitle: 'One: two'\ntags: a\n---\n\n\ntext", "One: two", "text"],
    ['+++\ntitle = "One"\n+++\ntext', "One", "text"],
    ["---\ntitle: One\n---\n# Two", "Two", "# Two"],
    ["---\n\nno front matter", undefined, "---\n\nno front matter"],
    ["\n\ntext", undefined, "\n\ntext"],
  ])("of %j is %j", (whole, title, text = whole) => {
    expect(headOf(whole)).toEqual({ title, text });
  });
});

async function files(name: string, contents: Record<string, string | Buffer>): Promise<string> {
  const root = join(await mkdtemp(join(folder, "files-")), name);
  for (const [path, content] of Object.entries(contents)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

/** With the token in the environment, as it should be. */
function ingest(args: readonly string[], { url = server.url } = {}) {
  return typed([...args, `--server=${url}`], { BELAY_TOKEN: token });
}

async function typed(args: readonly string[], env: Record<string, string>) {
  const script = join(import.meta.dirname, "../../scripts/ingest.ts");
  const { BELAY_TOKEN: _, ...rest } = process.env;
  const child = spawn(process.execPath, [script, ...args], {
    cwd: join(import.meta.dirname, "../.."),
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...rest, ...env },
  });
  const printed = { stdout: "", stderr: "" };
  for (const output of ["stdout", "stderr"] as const) {
    child[output].setEncoding("utf8").on("data", (text: string) => {
      printed[output] += text;
    });
  }
  const [code] = await once(child, "close");
  return { code, ...printed };
}

async function get(path: string): Promise<Response> {
  return fetch(`${server.url}/api/v1/admin/documents${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
}

/** The titles of the documents whose ids begin so, by id. */
async function held(prefix: string): Promise<Record<string, string>> {
  const { documents } = (await (await get("?limit=200")).json()) as {
    documents: { id: string; title: string }[];
  };
  const under = documents.filter(({ id }) => id.startsWith(prefix));
  return Object.fromEntries(under.map(({ id, title }) => [id, title]));
}

async function document(id: string): Promise<unknown> {
  return (await get(`/${encodeURIComponent(id)}`)).json();
}
