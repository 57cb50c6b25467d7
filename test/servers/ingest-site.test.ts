// `npm run ingest -- URL` against a real server and a site on this machine:
// which pages are sent, and what happens when the site changes.

import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bearerToken } from "../../scripts/bearer-token.ts";
import { variables } from "../../scripts/variables.ts";
import { finished, scriptOf, type } from "../support/command.ts";
import { startGatedProxy } from "../support/gated-proxy.ts";
import { listen } from "../support/listen.ts";
import { type RunningServer, startServer } from "../support/server.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let folder: string;
let server: RunningServer;
let token: string;
let site: Server;
let origin: string;
let state: string;
const pages = new Map<string, string | Answer>();
let asked: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belay-site-"));
  server = await startServer({ command: "serve", persistTo: join(folder, "data") });
  token = await bearerToken(await variables(), { user: "me", operator: true, seconds: 3_600 });
  site = createServer((request, response) => {
    const path = request.url ?? "/";
    asked.push(path);
    const page = pages.get(path);
    if (page === undefined) response.writeHead(404).end("none");
    else if (typeof page === "function") page(request, response);
    else response.setHeader("content-type", "text/html; charset=utf-8").end(page);
  });
  origin = await listen(site);
});
afterAll(async () => {
  site.closeAllConnections();
  site.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  pages.clear();
  asked = [];
  state = await mkdtemp(join(folder, "state-"));
});

test("a site is followed by its links, and a second run sends only what changed", async () => {
  pages.set(
    "/docs/",
    page("Home", "Welcome to the manual.", ["a", "b", "c", "d", "/other", "gone"]),
  );
  for (const name of ["a", "b", "c", "d"]) {
    pages.set(`/docs/${name}`, tagged(page(`Page ${name}`, `The text of ${name}.`, [])));
  }
  const first = await ingest([`${origin}/docs/`, "--prune"]);
  expect(first).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(
      "5 added, 0 replaced, 0 unchanged, 0 deleted, 0 skipped, 1 left out.",
    ),
  });
  expect(first.stderr).toContain(`Left out: ${origin}/docs/gone: it answers 404.`);
  expect(asked).not.toContain("/other");
  expect(await held()).toEqual({
    "docs/": "Home",
    "docs/a": "Page a",
    "docs/b": "Page b",
    "docs/c": "Page c",
    "docs/d": "Page d",
  });

  // One page changes, one moves, one breaks, one hides.
  pages.set("/docs/a", tagged(page("Page a", "Another text.", [])));
  pages.set("/docs/b", (_, response) => response.writeHead(301, { location: "/docs/moved" }).end());
  pages.set("/docs/moved", page("Page b", "The text of b.", []));
  pages.set("/docs/c", (_, response) => response.writeHead(503).end());
  pages.set(
    "/docs/d",
    page("Page d", "The text of d.", [], '<meta name="robots" content="noindex">'),
  );
  const second = await ingest([`${origin}/docs/`, "--prune"]);
  expect(second.code).toBe(1);
  expect(second.stderr).toContain(`Skipped ${origin}/docs/c: it answers 503.`);
  expect(second.stderr).toContain(`Left out: ${origin}/docs/d: it asks not to be found (noindex).`);
  expect(lines(second.stdout)).toEqual([
    `added ${host()}/docs/moved: 1 passage`,
    `deleted ${host()}/docs/b`,
    `deleted ${host()}/docs/d`,
    `replaced ${host()}/docs/a: 1 passage`,
  ]);
  expect(Object.keys(await held())).toEqual(["docs/", "docs/a", "docs/c", "docs/moved"]);
});

test("unchanged pages are asked for by their ETag, and answered without content", async () => {
  pages.set("/e/", tagged(page("Home", "Text.", ["x"])));
  pages.set("/e/x", tagged(page("X", "More text.", [])));
  await ingest([`${origin}/e/`]);
  asked = [];
  const bodies: number[] = [];
  for (const [path, answer] of [...pages]) {
    pages.set(path, (request, response) => {
      response.on("finish", () => bodies.push(response.statusCode));
      if (typeof answer === "function") answer(request, response);
    });
  }
  expect((await ingest([`${origin}/e/`])).stdout).toBe(
    "0 added, 0 replaced, 2 unchanged, 0 deleted, 0 skipped.\n",
  );
  expect(bodies).toEqual([304, 304]);
});

test("an index of packed sitemaps lists the pages, and lastmod spares requests", async () => {
  const xml = (inner: string) => `<?xml version="1.0"?>${inner}`;
  pages.set("/robots.txt", `User-agent: *\nDisallow: /s/private\n\nSitemap: ${origin}/index.xml`);
  pages.set(
    "/index.xml",
    xml(`<sitemapindex><sitemap><loc>${origin}/part.xml.gz</loc></sitemap></sitemapindex>`),
  );
  pages.set("/part.xml.gz", (_, response) => {
    const urls = ["one", "two", "private"].map(
      (name) =>
        `<url><loc>${origin}/s/${name}</loc><lastmod>2026-01-0${name.length}</lastmod></url>`,
    );
    response.end(
      gzipSync(
        xml(`<urlset>${urls.join("")}<url><loc>https://elsewhere.example/s/</loc></url></urlset>`),
      ),
    );
  });
  pages.set("/s/one", page("One", "Text one.", ["/s/unlisted"]));
  pages.set("/s/two", page("Two", "Text two.", [], `<link rel="canonical" href="/s/one">`));
  pages.set("/s/private", page("Private", "No.", []));
  const first = await ingest([`${origin}/s/`]);
  expect(first).toMatchObject({ code: 0 });
  expect(first.stderr).toContain(`${origin}/s/private: robots.txt does not allow it.`);
  expect(first.stderr).toContain(`${origin}/s/two: it is the same page as ${origin}/s/one.`);
  expect(asked).not.toContain("/s/private");
  expect(asked).not.toContain("/s/unlisted");
  asked = [];
  expect((await ingest([`${origin}/s/`])).stdout).toContain("1 unchanged");
  expect(asked).not.toContain("/s/one");
});

test("an llms.txt lists the pages", async () => {
  pages.set(
    "/l/llms.txt",
    text("# Manual\n\n- [One](/l/one.md): first\n- [Two](two.md)\n- [Else](https://x.example/)\n"),
  );
  pages.set("/l/one.md", text("# One\n\nText.\n"));
  pages.set("/l/two.md", text("# Two\n\nText.\n"));
  expect((await ingest([`${origin}/l/llms.txt`])).stdout).toContain("2 added");
});

test("a dry run sends nothing and keeps nothing", async () => {
  pages.set("/dry/", page("Dry", "Text.", []));
  const { code, stdout } = await ingest([`${origin}/dry/`, "--dry-run"]);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^added .* \(not sent\): \d+ bytes\n1 added.*Nothing was sent/),
  });
  expect(await held("dry/")).toEqual({});
  expect(await readdir(state)).toEqual([]);
});

test("--select and --exclude say what the content is", async () => {
  const inner =
    "<div class=b><p>Wanted words.</p><p class=x>Unwanted words.</p></div><p>Other words.</p>";
  pages.set("/sel/", `<title>Sel</title><main>${inner}</main>`);
  await ingest([`${origin}/sel/`, "--select", ".b", "--exclude", ".x"]);
  expect((await stored("sel/")).text).toBe("# Sel\n\nWanted words.\n");
});

describe("hostile sites", () => {
  test("private addresses are refused, by number and by name", async () => {
    pages.set("/p/", page("P", "Text.", []));
    const { code, stderr } = await ingest([`${origin}/p/`], { allowPrivate: false });
    expect(code).toBe(1);
    expect(stderr).toContain("127.0.0.1 is a private address: --allow-private allows it.");
    const byName = `http://localhost:${new URL(origin).port}/p/`;
    expect((await ingest([byName], { allowPrivate: false })).stderr).toContain(
      "localhost is a private address: --allow-private allows it.",
    );
    expect(asked).toEqual([]);
  });

  test("circles, far redirects, bombs, huge and broken pages are named, and the rest is loaded", async () => {
    const names = ["circle", "far", "bomb", "huge", "picture", "deep", "cut", "fine"];
    pages.set("/h/", page("Home", "Text.", names));
    pages.set("/h/circle", (_, response) =>
      response.writeHead(302, { location: "/h/circle" }).end(),
    );
    pages.set("/h/far", (_, response) =>
      response.writeHead(302, { location: "http://169.254.169.254/" }).end(),
    );
    pages.set("/h/bomb", (_, response) =>
      response
        .writeHead(200, { "content-type": "text/html", "content-encoding": "gzip" })
        .end(gzipSync(Buffer.alloc(60 * 1024 * 1024, "<p>"))),
    );
    pages.set("/h/huge", (_, response) =>
      response
        .writeHead(200, { "content-type": "text/html", "content-length": 52_428_800 })
        .flushHeaders(),
    );
    pages.set("/h/picture", (_, response) =>
      response.setHeader("content-type", "image/png").end("x"),
    );
    pages.set("/h/deep", `<main>${"<b>".repeat(3_000)}deep`);
    pages.set("/h/cut", (_, response) => {
      response.writeHead(200, { "content-type": "text/html", "content-length": 1_000 });
      response.write("<p>begin");
      setTimeout(() => response.destroy(), 20);
    });
    pages.set("/h/fine", page("Fine", "Fine text.<script>steal()</script><style>b{}</style>", []));
    const { code, stdout, stderr } = await ingest([`${origin}/h/`]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${origin}/h/circle: its redirects lead in a circle.`);
    expect(stderr).toContain(
      `${origin}/h/far: it redirects out of the site, to http://169.254.169.254/.`,
    );
    expect(stderr).toContain(`Skipped ${origin}/h/bomb: it is larger than 20 MiB.`);
    expect(stderr).toContain(`Skipped ${origin}/h/huge: it is larger than 20 MiB.`);
    expect(stderr).toContain(`${origin}/h/picture: its type image/png is not read.`);
    expect(stderr).toContain(`Skipped ${origin}/h/cut: it cannot be fetched`);
    expect(stdout).toContain(`added ${host()}/h/fine: 1 passage`);
    expect((await stored("h/fine")).text).toBe("# Fine\n\nFine text.\n");
    expect(await held("h/cut")).toEqual({});
  });

  test("endless links end at the limit, nothing is pruned, and the exit code tells", async () => {
    for (let i = 0; i < 20; i += 1)
      pages.set(`/loop/${i || ""}`, page(`P${i}`, `Text ${i}.`, [`/loop/${i + 1}`]));
    const { code, stderr } = await ingest([`${origin}/loop/`, "--max-pages=5", "--prune"]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      "the limit of 5 pages is reached; 1 more are known. Nothing is pruned.",
    );
    expect(Object.keys(await held("loop/"))).toHaveLength(5);
  });
});

test("a run that is stopped goes on from there", async () => {
  const names = Array.from({ length: 12 }, (_, i) => `${i}`);
  pages.set("/r/", page("Home", "Text.", names));
  for (const name of names) pages.set(`/r/${name}`, page(`P ${name}`, `Text ${name}.`, []));
  const run = command([`${origin}/r/`, "--rate=4"]);
  const until = Date.now() + 20_000;
  while (!asked.includes("/r/3")) {
    expect(Date.now()).toBeLessThan(until);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  run.process.kill("SIGINT");
  expect((await finished(run)).code).toBe(130);
  const before = Object.keys(await held("r/")).length;
  expect(before).toBeGreaterThan(1);
  expect(before).toBeLessThan(13);
  asked = [];
  const { code, stderr } = await ingest([`${origin}/r/`]);
  expect(code).toBe(0);
  expect(stderr).toContain("Taking up the run that was stopped.");
  expect(asked).not.toContain("/r/0");
  expect(Object.keys(await held("r/"))).toHaveLength(13);
});

test("an llms-full.txt is one document", async () => {
  pages.set("/f/llms-full.txt", text("# Whole manual\n\nText.\n\n## Part\n\nMore.\n"));
  expect((await ingest([`${origin}/f/llms-full.txt`])).stdout).toContain("1 added");
  expect(await held("f/")).toEqual({ "f/llms-full.txt": "Whole manual" });
});

test("ingest.json names all sources, and one that fails does not stop the others", async () => {
  pages.set("/j/", page("Home", "Text.", []));
  const project = await mkdtemp(join(folder, "project-"));
  await mkdir(join(project, "notes"));
  await writeFile(join(project, "notes", "a.html"), page("A", "Text of a.", []));
  const config = (sources: unknown) =>
    writeFile(join(project, "ingest.json"), JSON.stringify({ sources }));
  await config([
    { source: `${origin}/none/llms.txt`, allowPrivate: true },
    { source: `${origin}/j/`, allowPrivate: true, collection: "manual" },
    { source: "notes", prune: true, url: "https://x.example/notes", stripExtension: true },
  ]);
  const args = ["--config", join(project, "ingest.json")];
  const { code, stdout, stderr } = await ingest(args, { allowPrivate: false });
  expect(code).toBe(1);
  expect(stderr).toContain("/none/llms.txt answers 404.");
  expect(stdout).toContain(`added ${host()}/j/: 1 passage`);
  expect(stdout).toContain("added notes/a.html: 1 passage");
  expect(await held("j/")).toEqual({});
  expect(await admin("/notes%2Fa.html")).toMatchObject({ url: "https://x.example/notes/a" });

  await config([{ source: "notes", prone: true }]);
  expect(await ingest(args, { allowPrivate: false })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("prone"),
  });
});

test("--watch loads a folder again when a file changes", async () => {
  const watched = join(await mkdtemp(join(folder, "watch-")), "watched");
  await mkdir(watched);
  await writeFile(join(watched, "a.md"), "# A");
  const run = command([watched, "--watch", "--prune"]);
  const printed = (line: string) => until(run, () => run.stdout().includes(line));
  const said = (line: string) => until(run, () => run.stderr().includes(line));
  await printed("Watching.");
  await writeFile(join(watched, "b.mdx"), "import X from 'x'\n\n# B\n");
  await printed("added watched/b.mdx");
  await writeFile(join(watched, "a.md"), "# Another");
  await printed("replaced watched/a.md");
  await rm(join(watched, "b.mdx"));
  await printed("deleted watched/b.mdx");

  // The folder goes away, and another one takes its place.
  await rename(watched, `${watched}-old`);
  await said("does not exist");
  expect(Object.keys(await all("watched/"))).toEqual(["watched/a.md"]);
  await mkdir(watched);
  await writeFile(join(watched, "a.md"), "# Third");
  await printed("replaced watched/a.md: 1 passage\n0 added, 1 replaced");
  await writeFile(join(watched, "c.md"), "# C");
  await printed("added watched/c.md");
  run.process.kill("SIGINT");
  expect((await finished(run)).code).toBe(0);
});

test("--watch sends what changed while the server was down, once it is back", async () => {
  const watched = join(await mkdtemp(join(folder, "down-")), "down");
  await mkdir(watched);
  await writeFile(join(watched, "a.md"), "# A");
  let isDown = false;
  const proxy = await startGatedProxy(server.url, (request, pass) => {
    if (isDown) request.socket.destroy();
    else pass();
  });
  const run = command([watched, "--watch"], proxy.url);
  await until(run, () => run.stdout().includes("Watching."));
  isDown = true;
  await writeFile(join(watched, "b.md"), "# B");
  await until(run, () => run.stderr().includes("No server can be reached"));
  isDown = false;
  await until(run, () => run.stdout().includes("added down/b.md"));
  expect(run.stderr().match(/No server can be reached/g)).toHaveLength(1);
  run.process.kill("SIGINT");
  expect((await finished(run)).code).toBe(0);
  proxy.close();
});

test("Ctrl-C stops the load of a folder, and the next run sends the rest", async () => {
  // A second try of this test finds nothing of the first.
  const many = await mkdtemp(join(folder, "many-"));
  const below = `${basename(many)}/`;
  const long = "A sentence about nothing much. ".repeat(200);
  for (let i = 0; i < 16; i += 1) await writeFile(join(many, `${i}.md`), `# ${i}\n\n${long}`);
  // Some are stored at once, and those under way after the signal. Others are never passed on.
  let puts = 0;
  const held: (() => void)[] = [];
  const proxy = await startGatedProxy(server.url, (request, pass) => {
    if (request.method === "PUT") puts += 1;
    if (puts <= 3) pass();
    else held.push(pass);
  });
  const run = command([many], proxy.url);
  await until(run, () => run.stdout().includes(`added ${below}`) && held.length > 0);
  run.process.kill("SIGINT");
  for (const pass of held) pass();
  expect(await finished(run)).toMatchObject({
    code: 130,
    stderr: expect.stringContaining("Stopped."),
  });
  proxy.close();
  const before = Object.keys(await all(below)).length;
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(16);
  expect(await ingest([many])).toMatchObject({ code: 0 });
  expect(Object.keys(await all(below))).toHaveLength(16);
});

async function until(run: ReturnType<typeof type>, isSo: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!isSo()) {
    expect(Date.now(), run.stdout() + run.stderr()).toBeLessThan(end);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function page(title: string, content: string, links: readonly string[], head = ""): string {
  const list = links.map((link) => `<li><a href="${link}">${link}</a></li>`).join("");
  return `<!doctype html><html><head><title>${title} | Site</title>${head}</head><body>
    <div class="cookie-banner">We use cookies.</div><nav><ul>${list}</ul></nav>
    <main><h1>${title}</h1><p>${content}</p></main><footer>Imprint</footer></body></html>`;
}

function text(markdown: string): Answer {
  return (_, response) => response.setHeader("content-type", "text/markdown").end(markdown);
}

function tagged(html: string): Answer {
  const etag = `"${Buffer.from(html).toString("base64url").slice(-60)}${html.length}"`;
  return (request, response) => {
    response.setHeader("etag", etag);
    if (request.headers["if-none-match"] === etag) response.writeHead(304).end();
    else response.setHeader("content-type", "text/html").end(html);
  };
}

const host = () => new URL(origin).host;

function lines(printed: string): string[] {
  return printed
    .split("\n")
    .filter((line) => /^(?:added|replaced|deleted) /.test(line))
    .sort();
}

function command(args: readonly string[], url = server.url) {
  const words = [scriptOf("ingest"), ...args, `--server=${url}`, "--allow-private"];
  return type(process.execPath, words, { BELAY_TOKEN: token, XDG_STATE_HOME: state });
}

function ingest(args: readonly string[], { allowPrivate = true } = {}) {
  if (allowPrivate) return finished(command([...args, "--rate=100"]));
  return finished(
    type(process.execPath, [scriptOf("ingest"), ...args, `--server=${server.url}`], {
      BELAY_TOKEN: token,
      XDG_STATE_HOME: state,
    }),
  );
}

async function admin(path: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}/api/v1/admin/documents${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return (await response.json()) as Record<string, unknown>;
}

async function held(below = "docs/"): Promise<Record<string, string>> {
  const mine = Object.entries(await all(`${host()}/${below}`));
  return Object.fromEntries(mine.map(([id, title]) => [id.slice(host().length + 1), title]));
}

/** The titles of the documents whose ids begin with this. */
async function all(below: string): Promise<Record<string, string>> {
  const { documents } = (await admin("?limit=200")) as {
    documents: { id: string; title: string }[];
  };
  const mine = documents.filter(({ id }) => id.startsWith(below));
  return Object.fromEntries(mine.map(({ id, title }) => [id, title]));
}

async function stored(path: string): Promise<{ text: string }> {
  return (await admin(`/${encodeURIComponent(`${host()}/${path}`)}`)) as unknown as {
    text: string;
  };
}
