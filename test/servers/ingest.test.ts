// `npm run ingest` against a real server: which files become documents, and what
// happens when they change, are deleted, or cannot be read.

import { execFile } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bearerToken } from "../../scripts/bearer-token.ts";
import { findFiles } from "../../scripts/ingest/files.ts";
import { Reading } from "../../scripts/ingest/reading.ts";
import { variables } from "../../scripts/variables.ts";
import { markdown } from "../../src/intake/markdown.ts";
import { finished, scriptOf, type } from "../support/command.ts";
import { type RunningServer, startServer } from "../support/server.ts";

let folder: string;
let server: RunningServer;
let token: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belay-ingest-"));
  server = await startServer({ command: "serve", persistTo: join(folder, "data") });
  token = await bearerToken(await variables(), { user: "me", operator: true, seconds: 3_600 });
  // It replaces the samples.
  await put("own", "text");
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

test("the first folder replaces the samples, even with the same files in it", async () => {
  const fresh = await startServer({ command: "serve" });
  const ids = async () => {
    const { documents } = (await (await get("?limit=200", fresh.url)).json()) as {
      documents: { id: string; sample?: true }[];
    };
    return documents.map(({ id, sample }) => `${id}${sample ? " (sample)" : ""}`);
  };
  const samples = await ids();
  expect(samples.length).toBeGreaterThan(5);
  expect(samples.filter((id) => !/^samples\/\w+\.md \(sample\)$/.test(id))).toEqual([]);

  const folder = join(import.meta.dirname, "../../samples");
  const docs = await files("samples", { "charges.md": await readFile(join(folder, "charges.md")) });
  // No document: the samples stay.
  await ingest([await files("empty", { "a.md": "" })], { url: fresh.url });
  expect(await ids()).toEqual(samples);

  expect(await ingest([docs, "--prune"], { url: fresh.url })).toEqual({
    code: 0,
    stdout: expect.stringMatching(
      /\n1 added, 0 replaced, 0 unchanged, 0 deleted, 0 skipped\. Replaced \d+ samples\.\n$/,
    ),
    stderr: "",
  });
  expect(await ids()).toEqual(["samples/charges.md"]);
  expect((await ingest([docs], { url: fresh.url })).stdout).toBe(
    "0 added, 0 replaced, 1 unchanged, 0 deleted, 0 skipped.\n",
  );
  await fresh.stop();
});

test("the documents are of the collection that is named", async () => {
  const docs = await files("team", { "a.md": "# A\n\nThe team alone.", "b.md": "# B\n\nToo." });
  const load = async (...args: string[]) => (await ingest([docs, ...args])).stdout;
  const inTeam = ["--collection", "team-docs"];
  expect(await load(...inTeam)).toMatch(/\n2 added, 0 replaced, 0 unchanged, /);
  expect(await load(...inTeam)).toBe("0 added, 0 replaced, 2 unchanged, 0 deleted, 0 skipped.\n");
  await rm(join(docs, "b.md"));
  expect(await load("--prune", ...inTeam)).toMatch(/1 unchanged, 1 deleted, 0 skipped\.\n$/);
  expect(await held("team/")).toEqual({});
  const path = `${server.url}/api/v1/admin/collections/team-docs/documents`;
  const response = await fetch(path, { headers: { authorization: `Bearer ${token}` } });
  expect(await response.json()).toMatchObject({ documents: [{ id: "team/a.md" }] });
});

describe("a folder", () => {
  test("becomes documents, which are updated with its files", async () => {
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
        /^(?:added guide\/.*: 1 passage\n){3}3 added, 0 replaced, 0 unchanged, 0 deleted, 0 skipped\.\n$/,
      ),
      stderr:
        "Not documents, left out: 1 .png.\n" +
        "Left out by name (a leading dot, node_modules): 2.\n",
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

  test("loses only the documents of deleted files when pruned", async () => {
    const docs = await files("prune", { "a.md": "# A\n\none", "b.md": "# B\n\ntwo", "c.md": "c" });
    const other = await files("prune-other", { "a.md": "# A\n\nother" });
    expect((await ingest([docs, other])).code).toBe(0);
    await rm(join(docs, "b.md"));
    // This file exists, though it cannot be read.
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
      stderr: `${docs} has no file with the extension .md, .markdown, .txt, .mdx, .html, .htm, .xhtml, .pdf, .docx, or .docm.\n`,
    });
    expect(Object.keys(await held("emptied/"))).toHaveLength(1);
  });
});

test("ids may have a prefix, and sources link to the files", async () => {
  const docs = await files("a b", { "ü/c d.md": "# C\n\n## D\n\ntext" });
  const single = join(docs, "ü/c d.md");
  expect((await ingest([docs, "--prefix=one/", "--url=https://docs.example/x"])).code).toBe(0);
  expect((await ingest([single, "--prefix=two/"])).code).toBe(0);
  expect(await document("one/a b/ü/c d.md")).toMatchObject({
    url: "https://docs.example/x/%C3%BC/c%20d.md",
  });
  expect(await document("two/c d.md")).toMatchObject({ title: "C", url: null });
  // Without --url the server keeps the address.
  expect((await ingest([docs, "--prefix=one/"])).stdout).toMatch(/1 unchanged/);
});

test("files that cannot be read are named, and the others are loaded", async () => {
  const long = "x".repeat(130);
  const docs = await files("odd", {
    "binary.md": "text\0text",
    "latin.txt": Buffer.from([0x63, 0x61, 0x66, 0xe9]),
    "large.md": "x".repeat(1024 * 1024 + 1),
    "empty.md": "---\ntitle: nothing else\n---\n",
    "unseen.md": "\u200b\n\u2060",
    [`${long}.md`]: "text",
    "whole.md": "x".repeat(1024 * 1024),
  });
  // A file outside of the folder may be secret.
  const outside = join(docs, "..", "secret.md");
  await writeFile(outside, "secret");
  await symlink(outside, join(docs, "link.md"));
  const { code, stderr } = await ingest([docs]);
  expect(code).toBe(1);
  for (const line of [
    /^Skipped odd\/binary\.md: it is not text in UTF-8\.$/m,
    /^Skipped odd\/latin\.txt: it is not text in UTF-8\.$/m,
    /^Skipped odd\/large\.md: its text is 1048577 bytes long\. The limit is 1 MiB\.$/m,
    /^Skipped odd\/empty\.md: it is empty\.$/m,
    /^Skipped odd\/unseen\.md: it is empty\.$/m,
    /^Skipped odd\/x+\.md: its id would be too long or have a control character\.$/m,
    /^Skipped odd\/link\.md: it is a symbolic link: give its target as a PATH\.$/m,
    /^1 added, 0 replaced, 0 unchanged, 0 deleted, 7 skipped\.$/m,
  ]) {
    expect(stderr).toMatch(line);
  }
  expect(Object.keys(await held("odd/"))).toEqual(["odd/whole.md"]);
});

describe("a folder with odd files", () => {
  const taken = { "a.md": "first", "z.md": "last" };

  test("has them named and skipped, and the others are loaded", async () => {
    const docs = await files("oddities", {
      ...taken,
      "folder.md/inner.md": "a folder may be called so",
    });
    const odd = (name: string | Buffer) =>
      Buffer.concat([Buffer.from(`${docs}/`), Buffer.from(name)]);
    await writeFile(odd("latin-\xe9.md"), "its name is UTF-8");
    await writeFile(odd(Buffer.from("caf\xe9.md", "latin1")), "text");
    await mkdir(odd(Buffer.from("d\xe9r", "latin1")));
    await writeFile(odd("red\x1b[31m\x07.md"), "text");
    await writeFile(odd("two\nlines.md"), "text");
    await writeFile(odd("turn\u202edm.txt"), "text");
    await writeFile(odd("re\u0301sume\u0301.md"), "text");
    await writeFile(odd("r\u00e9sum\u00e9.md"), "text");
    await writeFile(odd("huge.md"), "");
    await truncate(odd("huge.md"), 2 ** 40);
    await promisify(execFile)("mkfifo", [join(docs, "pipe.md"), join(docs, "pipe")]);
    const socket = createSocket().listen(join(docs, "socket.md"));
    await once(socket, "listening");
    await symlink("endless.md", join(docs, "endless.md"));
    await symlink("..", join(docs, "circle"));
    await mkdir(join(docs, "locked"));
    await writeFile(join(docs, "locked", "inner.md"), "text");
    await chmod(join(docs, "locked"), 0);
    await writeFile(join(docs, "secret.md"), "text");
    await chmod(join(docs, "secret.md"), 0);

    const { code, stdout, stderr } = await ingest([docs], { unprivileged: true });
    socket.close();
    expect({ code, skipped: stderr.trimEnd().split("\n").sort() }).toEqual({
      code: 1,
      skipped: [
        "6 added, 0 replaced, 0 unchanged, 0 deleted, 13 skipped.",
        "Skipped oddities/caf\\xe9.md: its name is not UTF-8: rename it.",
        "Skipped oddities/circle: it is a symbolic link: give its target as a PATH.",
        "Skipped oddities/d\\xe9r: its name is not UTF-8: rename it.",
        "Skipped oddities/endless.md: it is a symbolic link: give its target as a PATH.",
        "Skipped oddities/huge.md: it is 1099511627776 bytes long. The limit is 1 MiB.",
        "Skipped oddities/locked: it cannot be read: EACCES: permission denied.",
        "Skipped oddities/pipe.md: it is a named pipe, not a file.",
        "Skipped oddities/pipe: it is a named pipe, not a file.",
        "Skipped oddities/red\\x1b[31m\\x07.md: its id would be too long or have a control character.",
        "Skipped oddities/résumé.md: another file would be the same document: their names differ only in how an accent is written.",
        "Skipped oddities/secret.md: it cannot be read: EACCES: permission denied.",
        "Skipped oddities/socket.md: it is a socket, not a file.",
        "Skipped oddities/two\\nlines.md: its id would be too long or have a control character.",
      ],
    });
    expect(stdout).toContain("added oddities/turn\\u{202e}dm.txt: 1 passage\n");
    expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
    expect(Object.keys(await held("oddities/"))).toEqual([
      ...[
        "oddities/a.md",
        "oddities/folder.md/inner.md",
        "oddities/latin-é.md",
        "oddities/résumé.md",
      ],
      ...["oddities/turn\u202edm.txt", "oddities/z.md"],
    ]);
  });

  test("keeps documents of files that were not searched when pruned", async () => {
    const docs = await files("kept", {
      ...taken,
      "locked/inner.md": "text",
      "linked/inner.md": "text",
      "gone/inner.md": "text",
    });
    await ingest([docs]);
    await put("kept/.hidden/x", "text");
    await put("kept/manual.pdf", "text that another reader has sent");
    await put("kept/logo.svg", "text");
    await put("kept/logo.png", "text");
    await mkdir(join(docs, ".hidden"));
    await writeFile(join(docs, "manual.pdf"), "%PDF");
    await writeFile(join(docs, "logo.svg"), "<svg/>");
    await chmod(join(docs, "locked"), 0);
    await rename(join(docs, "linked"), join(docs, "..", "elsewhere"));
    await symlink("../elsewhere", join(docs, "linked"));
    await rm(join(docs, "gone"), { recursive: true });
    const { stdout } = await ingest([docs, "--prune"], { unprivileged: true });
    expect(matching(stdout, /^deleted .*$/gm).sort()).toEqual([
      "deleted kept/gone/inner.md",
      "deleted kept/logo.png",
    ]);

    // A folder of the same name without readable files is not empty.
    const twin = await files("kept", { "picture.png": "" });
    const { stderr, code } = await ingest([docs, twin, "--prune"], { unprivileged: true });
    expect(code).toBe(1);
    expect(stderr).toContain(
      `Skipped ${twin}: it has no file with the extension .md, .markdown, .txt, .mdx, .html, .htm, .xhtml, .pdf, .docx, or .docm.\n`,
    );
    expect(Object.keys(await held("kept/"))).toHaveLength(7);
  });

  test("loads the other files if each is given as a PATH", async () => {
    const docs = await files("named", {
      ...taken,
      "page.odt": "<p>",
      "notes.rst": "Notes\n=====",
    });
    const pipe = join(docs, "pipe.md");
    await promisify(execFile)("mkfifo", [pipe]);
    await symlink("endless.md", join(docs, "endless.md"));
    await symlink("a.md", join(docs, "link.md"));
    const names = ["pipe.md", "endless.md", "gone.md", "page.odt", "a.md", "link.md", "notes.rst"];
    const { code, stdout, stderr } = await ingest([
      ...names.map((name) => join(docs, name)),
      "--prefix=named/",
    ]);
    expect(code).toBe(1);
    expect(stderr.replaceAll(`${docs}/`, "")).toBe(`Skipped pipe.md: it is a named pipe, not a file.
Skipped endless.md: it cannot be read: ELOOP: too many symbolic links encountered.
Skipped gone.md: it does not exist.
Skipped page.odt: its format is not read: convert it to Markdown, HTML, PDF or DOCX first.
3 added, 0 replaced, 0 unchanged, 0 deleted, 4 skipped.
`);
    expect(matching(stdout, /^added .*$/gm).sort()).toEqual([
      "added named/a.md: 1 passage",
      "added named/link.md: 1 passage",
      "added named/notes.rst: 1 passage",
    ]);
    expect(await ingest([pipe, join(docs, "gone.md")])).toEqual({
      code: 1,
      stdout: "",
      stderr: `${pipe} is a named pipe, not a file.\n${docs}/gone.md does not exist.\n`,
    });
  });

  test("survives files that become pipes or are deleted meanwhile", async () => {
    const docs = await files("vanish", { ...taken, "pipe.md": "text", "gone.md": "text" });
    const found = await findFiles([docs], "", undefined, new Reading());
    await rm(join(docs, "gone.md"));
    await rm(join(docs, "pipe.md"));
    await promisify(execFile)("mkfifo", [join(docs, "pipe.md")]);
    const read = await Promise.all(found.files.map((file) => file.read()));
    expect(read.flatMap((result) => ("reason" in result ? [result] : []))).toEqual([
      {
        path: "vanish/gone.md",
        reason: "it cannot be read: ENOENT: no such file or directory.",
      },
      { path: "vanish/pipe.md", reason: "it is a named pipe, not a file." },
    ]);
  });
});

describe("files of other formats", () => {
  test("are named with the reason, and files that are no documents are counted", async () => {
    const documents = [
      "a.odt",
      "B.RTF",
      "c.epub",
      "d.rst",
      "e.adoc",
      "f.qmd",
      "g.ipynb",
      "LICENSE",
    ];
    const others = ["1.png", "2.png", "3.PNG", "x.css", "y.js", "z.json"];
    const docs = await files("mixed", {
      "sub/read.md": "text",
      ...Object.fromEntries([...documents, ...others].map((name) => [`sub/${name}`, "text"])),
      ".env": "text",
      "sub/.DS_Store": "text",
      "node_modules/a/b.md": "text",
      "sub/node_modules/a/b.md": "text",
    });
    const { code, stdout, stderr } = await ingest([docs]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout:
        "added mixed/sub/read.md: 1 passage\n1 added, 0 replaced, 0 unchanged, 0 deleted, 0 skipped.\n",
    });
    const convert = "its format is not read: convert it to Markdown";
    expect(stderr.trimEnd().split("\n").sort()).toEqual(
      [
        "Not documents, left out: 3 .png, 1 .css, 1 .js, 1 .json.",
        "Left out by name (a leading dot, node_modules): 4.",
        ...["B.RTF", "a.odt", "c.epub", "g.ipynb"].map(
          (name) => `Not read: mixed/sub/${name}: ${convert}, HTML, PDF or DOCX first.`,
        ),
        ...["d.rst", "e.adoc", "f.qmd"].map(
          (name) =>
            `Not read: mixed/sub/${name}: ${convert}, or give it as a PATH to have it read as text.`,
        ),
        "Not read: mixed/sub/LICENSE: its name has no extension: give it as a PATH to have it read as text.",
      ].sort(),
    );
  });

  test("include drafts in a folder, which are pruned, but not one that is named", async () => {
    const draft = "---\ndraft: true\n---\n# A";
    const docs = await files("drafts", { "a.md": "# A", "b.md": "# B" });
    await ingest([docs]);
    await writeFile(join(docs, "a.md"), draft);
    const kept = await ingest([docs]);
    expect(kept).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^Not read: drafts\/a\.md: .*draft/),
    });
    expect(kept.stdout).toBe("0 added, 0 replaced, 1 unchanged, 0 deleted, 0 skipped.\n");
    expect((await ingest([docs, "--prune"])).stdout).toContain("deleted drafts/a.md\n");
    expect((await ingest([join(docs, "a.md")])).stdout).toContain("added a.md");
  });

  test("are named also if there are no others", async () => {
    const docs = await files("only", { "a.odt": "text" });
    const { code, stderr } = await ingest([docs, "--prune"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Not read: only\/a\.odt: /);
    expect(stderr).toContain(
      `Skipped ${docs}: it has no file with the extension .md, .markdown, .txt, .mdx, .html, .htm, .xhtml, .pdf, .docx, or .docm.\n`,
    );
  });
});

test("links may leave out the extension, and name the folder for its own page", async () => {
  const names = {
    "index.md": "https://x.example/docs/",
    "setup.md": "https://x.example/docs/setup",
    "guide/INDEX.MD": "https://x.example/docs/guide/",
    "guide/v2.3.md": "https://x.example/docs/guide/v2.3",
    "guide/my page.markdown": "https://x.example/docs/guide/my%20page",
    "guide/notes.txt": "https://x.example/docs/guide/notes.txt",
    "hugo/_index.md": "https://x.example/docs/hugo/",
    "repository/README.md": "https://x.example/docs/repository/",
    "repository/readme-first.md": "https://x.example/docs/repository/readme-first",
    "api.md/index.md": "https://x.example/docs/api.md/",
    "page.md.md": "https://x.example/docs/page.md",
  };
  const docs = await files(
    "site",
    Object.fromEntries(Object.keys(names).map((name) => [name, `# ${name}\n\ntext`])),
  );
  expect((await ingest([docs, "--url=https://x.example/docs"])).code).toBe(0);
  expect(await document("site/guide/v2.3.md")).toMatchObject({
    url: "https://x.example/docs/guide/v2.3.md",
  });
  const stripped = [docs, "--url=https://x.example/docs", "--strip-extension"];
  expect((await ingest(stripped)).stdout).toMatch(/^0 added, 10 replaced, 1 unchanged, /m);
  expect((await ingest(stripped)).stdout).toMatch(/^0 added, 0 replaced, 11 unchanged, /m);
  for (const [name, url] of Object.entries(names)) {
    expect(await document(`site/${name}`)).toMatchObject({ url });
  }
  // A PATH that is a file is directly below BASE.
  await ingest([join(docs, "guide/INDEX.MD"), "--prefix=one/", "--url=/help", "--strip-extension"]);
  await writeFile(join(docs, ".md"), "text");
  await ingest([join(docs, ".md"), "--prefix=one/", "--url=/help", "--strip-extension"]);
  expect(await document("one/INDEX.MD")).toMatchObject({ url: "/help/" });
  expect(await document("one/.md")).toMatchObject({ url: "/help/.md" });
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
        const { status = "", message = "Not now.", ...headers } = refusal;
        response.writeHead(Number(status), headers).end(JSON.stringify({ message }));
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

  test("is asked again, with a limit on parallel requests", async () => {
    refusals = [{ status: "503", "retry-after": "1" }, { status: "429" }, { status: "503" }];
    const startedAt = Date.now();
    expect(await ingest([await some()], { url })).toMatchObject({ code: 0, stderr: "" });
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(1_000);
    expect(refusals).toEqual([]);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });

  test("that refuses one document receives the others", async () => {
    refusals = [{ status: "413" }];
    expect(await ingest([await some()], { url })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^Skipped many\/\d+\.md: Not now\.\n29 added, .* 1 skipped\.\n$/,
      ),
    });
  });

  test("that fails on one document receives the others, and its message is printed safely", async () => {
    refusals = [{ status: "500" }, { status: "422", message: "\x1b[2J\nAll is well." }];
    expect(await ingest([await some()], { url })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^(?:Skipped many\/\d+\.md: (?:Not now\.|\\x1b\[2J\\nAll is well\.)\n){2}28 added, .* 2 skipped\.\n$/,
      ),
    });
  });

  test.each([
    ["text/html", "<html>\x1b[2J"],
    ["application/json", "{}"],
    ["application/json", "7"],
  ])("that is not Belay is recognised by %s %j", async (type, body) => {
    const other = createServer((_request, response) => {
      response.writeHead(200, { "content-type": type }).end(body);
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    expect(await ingest([await some()], { url: `http://127.0.0.1:${port}` })).toEqual({
      code: 1,
      stdout: "",
      stderr: "This is not a Belay server. Check the address.\n",
    });
    other.close();
  });

  test("that refuses the operator is asked no further", async () => {
    refusals = Array(30).fill({ status: "403" });
    expect(await ingest([await some()], { url })).toMatchObject({
      code: 1,
      stderr:
        "The server refuses: Not now. The bearer token is that of BELAY_TOKEN. `unset BELAY_TOKEN`, and the command signs one itself.\n",
    });
    expect(refusals.length).toBeGreaterThan(20);
  });
});

describe("npm run ingest refuses", () => {
  test.each([
    [[], "PATH or URL is missing, and there is no ingest.json."],
    [
      [".", "--server=belay.example.com"],
      "--server takes a scheme, a host and a port only, such as http://127.0.0.1:8787.",
    ],
    [
      [".", "--server=http://a.b/api/v1"],
      "--server takes a scheme, a host and a port only, such as http://127.0.0.1:8787.",
    ],
    [
      [".", "--server=http://a.b"],
      "Set BELAY_TOKEN to a bearer token of http://a.b: a command signs one itself only for a server on this machine.",
    ],
    [[".", "--server=http://a.b", "--token=a b"], "--token must be a bearer token."],
    [
      [".", "--server=http://a.b", "--token=t", "--url=docs"],
      "--url must be an http or https URL, or a path from /.",
    ],
    [
      [".", "--server=http://a.b", "--token=t", "--strip-extension"],
      "--strip-extension goes with --url.",
    ],
    [
      ["package.json", "--server=http://a.b", "--token=t", "--prune"],
      "--prune goes with a folder.",
    ],
    [
      ["docs", "docs", "--server=http://a.b", "--token=t"],
      /^Two files would be the document docs\/\S+: load them separately, with --prefix\.$/,
    ],
    [
      ["docs", "--server=http://a.b", "--token=t", "--collection=Team docs"],
      "--collection must be 1 to 64 lower-case letters, digits and hyphens.",
    ],
    [["--sever=http://a.b"], "Unknown option '--sever'. Did you mean --server?"],
  ] as const)("%j", async (args, message) => {
    const { code, stdout, stderr } = await typed(args, {});
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    const [, said] = /^(.*) --help tells more\.\n$/s.exec(stderr) ?? [];
    if (typeof message === "string") expect(said).toBe(message);
    else expect(said).toMatch(message);
  });

  test("a missing path, a missing server and a user's token", async () => {
    const to = { BELAY_TOKEN: token };
    expect(await typed(["nowhere", `--server=${server.url}`], to)).toMatchObject({
      code: 1,
      stderr: "nowhere does not exist.\n",
    });
    expect(await typed(["docs", "--server=http://127.0.0.1:9"], to)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^No server can be reached at http:\/\/127\.0\.0\.1:9: .*\. Start one with npm start, or name another with --server URL\.\n$/,
      ),
    });
    const user = await bearerToken(await variables(), { user: "me", seconds: 60 });
    expect(await typed(["docs", `--server=${server.url}`, `--token=${user}`], {})).toMatchObject({
      code: 1,
      stderr:
        "The server refuses: Only operators may do this. Send a bearer token with the scope or role operator.\n",
    });
  });
});

describe("the title and the text", () => {
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
    expect(markdown.read(whole)).toMatchObject({ title, text });
  });
});

function matching(printed: string, pattern: RegExp): string[] {
  return printed.match(pattern) ?? [];
}

async function files(name: string, contents: Record<string, string | Buffer>): Promise<string> {
  const root = join(await mkdtemp(join(folder, "files-")), name);
  for (const [path, content] of Object.entries(contents)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

/** The token is in the environment. */
function ingest(args: readonly string[], { url = server.url, unprivileged = false } = {}) {
  return typed([...args, `--server=${url}`], { BELAY_TOKEN: token }, unprivileged);
}

/** @param unprivileged Without the right of root to read any file. */
async function typed(args: readonly string[], env: Record<string, string>, unprivileged = false) {
  const command = [process.execPath, scriptOf("ingest"), ...args];
  if (unprivileged && process.getuid?.() === 0) {
    command.unshift("setpriv", "--bounding-set=-all", "--inh-caps=-all");
  }
  const [program = "", ...words] = command;
  return finished(type(program, words, { BELAY_TOKEN: undefined, ...env }));
}

async function get(path: string, url = server.url): Promise<Response> {
  return fetch(`${url}/api/v1/admin/documents${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
}

/** The titles of the documents with this prefix, by id. */
async function held(prefix: string): Promise<Record<string, string>> {
  const { documents } = (await (await get("?limit=200")).json()) as {
    documents: { id: string; title: string }[];
  };
  const under = documents.filter(({ id }) => id.startsWith(prefix));
  return Object.fromEntries(under.map(({ id, title }) => [id, title]));
}

async function put(id: string, text: string): Promise<void> {
  const response = await fetch(`${server.url}/api/v1/admin/documents/${encodeURIComponent(id)}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ title: id, text, url: null }),
  });
  expect(response.status).toBe(201);
}

async function document(id: string): Promise<unknown> {
  return (await get(`/${encodeURIComponent(id)}`)).json();
}
