// The models that a server finds on this machine when none is set, and the
// command that it prints. Servers of every kind answer at the usual ports.

import { execFileSync } from "node:child_process";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { localServers } from "../../scripts/local-models.ts";
import { tryIt, type Writer } from "../../scripts/try-it.ts";
import { writerOf } from "../../scripts/writer.ts";
import { listen } from "../support/listen.ts";

/** A server that starts waits no longer for what may be no model. */
const LITTLE_MS = 1_000;
const TRIES = 3;

const HARMFUL = /[^\P{Cc}\n]|\p{Bidi_Control}/u;

const list = (...ids: unknown[]) =>
  JSON.stringify({ object: "list", data: ids.map((id) => ({ id, object: "model" })) });

let servers: Server[];
/** The paths that were asked for, of all servers. */
let asked: (string | undefined)[];

beforeEach(() => {
  servers = [];
  asked = [];
});
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server at a port of its own. */
async function serve(answer: RequestListener): Promise<number> {
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  servers.push(server);
  return Number(new URL(await listen(server)).port);
}

const json =
  (body: string, status = 200): RequestListener =>
  (_request, response) =>
    response.writeHead(status, { "content-type": "application/json" }).end(body);

const usual = (...ports: number[]) => ports.map((port) => ({ port, programs: `Program ${port}` }));

/** What is found at one port. */
async function modelsAt(port: number): Promise<readonly string[]> {
  const [server] = await localServers(usual(port), 0);
  return server?.models ?? [];
}

describe("servers with models", () => {
  test("are found in the order of the ports, with one request each", async () => {
    const { promise: fastIsDone, resolve } = Promise.withResolvers<void>();
    const slow = await serve((...both) => fastIsDone.then(() => json(list("slow"))(...both)));
    const fast = await serve((request, response) => {
      response.once("finish", resolve);
      json(list("fast", "faster"))(request, response);
    });
    expect(await localServers(usual(slow, fast), 0)).toEqual([
      { port: slow, programs: `Program ${slow}`, models: ["slow"] },
      { port: fast, programs: `Program ${fast}`, models: ["fast", "faster"] },
    ]);
    expect(asked).toEqual(["GET /v1/models", "GET /v1/models"]);
  });

  test("are not looked for at our own port", async () => {
    const own = await serve(json(list("belay")));
    expect(await localServers(usual(own), own)).toEqual([]);
    expect(asked).toEqual([]);
  });

  test("offer only models that write", async () => {
    const others = [
      ...["nomic-embed-text", "text-embedding-3-small", "bge-m3", "all-minilm:l6-v2"],
      ...["jina-reranker-v2", "whisper-1", "tts-1", "stable-diffusion-3", "llama-guard-3"],
    ];
    const port = await serve(json(list(...others, "llama3.2", "Qwen/Qwen3-8B-GGUF:Q4_K_M")));
    expect(await modelsAt(port)).toEqual(["llama3.2", "Qwen/Qwen3-8B-GGUF:Q4_K_M"]);
    expect(await modelsAt(await serve(json(list(...others))))).toEqual([]);
  });

  test("offer no model whose name cannot be typed", async () => {
    const names = ["a\u001b[2Jb", "a\nb", "a\u202eb", "a\u0000", "", " a", "x".repeat(201), "good"];
    expect(await modelsAt(await serve(json(list(...names))))).toEqual(["good"]);
  });
});

describe("nothing is found, in little time,", () => {
  const endless: RequestListener = (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    const write = () => {
      while (!response.destroyed && response.write(" ".repeat(65_536)));
      response.once("drain", write);
    };
    write();
  };
  const page = "<!doctype html><title>Not found</title>";
  const kinds: Readonly<Record<string, RequestListener>> = {
    "a server that hangs": () => {},
    "a body that hangs": (_request, response) => void response.write('{"object":"list","data":['),
    "a body that drips": (_request, response) => {
      const timer = setInterval(() => response.write(" "), 20);
      response.once("close", () => clearInterval(timer));
    },
    "a body without an end": endless,
    "a list that is too long": json(list("x", "y".repeat(300_000))),
    "a page": (_request, response) => response.end(page),
    "an error with a list": json(list("model"), 404),
    "a refusal": json('{"error":{"message":"no key"}}', 401),
    "a redirect": (_request, response) =>
      void response.writeHead(302, { location: "/elsewhere" }).end(list("model")),
    "no body": json(""),
    "text that is no JSON": json(list("model").slice(1)),
    null: json("null"),
    "an array": json('["model"]'),
    "another object": json('{"object":"models","data":[{"id":"model"}]}'),
    "a list without data": json('{"object":"list"}'),
    "data that is no array": json('{"object":"list","data":{"id":"model"}}'),
    "ids that are no text": json(list(7, null, { a: 1 })),
    "an empty list": json(list()),
    "very large headers": (_request, response) =>
      void response.writeHead(200, { "x-large": "x".repeat(100_000) }).end(list("model")),
    "a broken connection": (request) => request.socket.destroy(),
  };

  test.each(Object.keys(kinds))("at %s", async (kind) => {
    const port = await serve(kinds[kind] as RequestListener);
    // Other work on the machine only makes it look slower.
    let ms = Number.POSITIVE_INFINITY;
    for (let i = 0; i < TRIES && ms >= LITTLE_MS; i += 1) {
      asked = [];
      const startedAt = performance.now();
      expect(await modelsAt(port)).toEqual([]);
      ms = performance.now() - startedAt;
      expect(asked).toEqual(["GET /v1/models"]);
    }
    expect(ms).toBeLessThan(LITTLE_MS);
    // The connection is closed, whatever the server does.
    const [server] = servers as [Server];
    await expect.poll(() => connections(server)).toBe(0);
  });

  test("at bytes that are no HTTP, and where nothing listens", async () => {
    const server = createSocketServer((socket) => {
      socket
        .on("error", () => {})
        .resume()
        .end("SSH-2.0-OpenSSH_9.9\r\n\u0000\u001b[2J");
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    expect(await modelsAt(port)).toEqual([]);
    await new Promise((resolve) => server.close(resolve));
    expect(await modelsAt(port)).toEqual([]);
  });
});

describe("what is printed about the answers", () => {
  const print = (writer: Writer, typed: Parameters<typeof tryIt>[0]["typed"] = []) =>
    tryIt({
      ...{ url: "http://127.0.0.1:8787", script: "start", typed, writer, isStyled: false },
      corpus: { holdings: "samples", questions: ["Why?"], isDefault: true, token: undefined },
    });
  const found = (...models: string[]): Writer => ({
    ...{ model: undefined, hasKey: false },
    servers: [{ port: 11_434, programs: "Ollama", models }],
  });

  test("fits a terminal of 80 columns, and begins with the answers", () => {
    const printed = print({ model: undefined, servers: [], hasKey: false });
    expect(printed).toMatchInlineSnapshot(`
      "Belay is ready on http://127.0.0.1:8787

        Answers    Passages are quoted word for word: no model is set.
                   To let a model write, set GENERATOR:openai, OPENAI_BASE_URL and
                   OPENAI_MODEL with --var: README.md, step 3, has an example.
        Documents  Samples about Belay. Your first document replaces them:
                   npm run ingest -- FOLDER

        Page       http://127.0.0.1:8787
        Console    http://127.0.0.1:8787/console
                   npm run -s token -- --user you --operator
        Terminal   npm run -s ask -- 'Why?'
                   Ctrl-C stops the answer, which is then not charged.
        Token      npm run -s token -- --user you
        OpenAI     http://127.0.0.1:8787/v1    (the token is the key, the model belay)
        MCP        http://127.0.0.1:8787/mcp
        HTTP       curl -N 'http://127.0.0.1:8787/api/v1/ai/ask?stream=true' \\
                     -H "Authorization: Bearer $(npm run -s token -- --user you)" \\
                     -H 'Content-Type: application/json' \\
                     -d '{"query":"Why?"}'
      "
    `);
    expect(widest(printed)).toBeLessThanOrEqual(80);
  });

  test("is the command that uses a model of this machine", () => {
    const printed = print(found("llama3.2", "qwen3", "phi4"));
    expect(printed).toMatchInlineSnapshot(`
      "Belay is ready on http://127.0.0.1:8787

        Answers    Passages are quoted word for word: no model is set.
                   Port 11434 (Ollama) offers llama3.2 and 2 more.
                   To let it write:
                   npm start -- --var GENERATOR:openai \\
                     --var OPENAI_BASE_URL:http://127.0.0.1:11434/v1 \\
                     --var OPENAI_MODEL:llama3.2
        Documents  Samples about Belay. Your first document replaces them:
                   npm run ingest -- FOLDER

        Page       http://127.0.0.1:8787
        Console    http://127.0.0.1:8787/console
                   npm run -s token -- --user you --operator
        Terminal   npm run -s ask -- 'Why?'
                   Ctrl-C stops the answer, which is then not charged.
        Token      npm run -s token -- --user you
        OpenAI     http://127.0.0.1:8787/v1    (the token is the key, the model belay)
        MCP        http://127.0.0.1:8787/mcp
        HTTP       curl -N 'http://127.0.0.1:8787/api/v1/ai/ask?stream=true' \\
                     -H "Authorization: Bearer $(npm run -s token -- --user you)" \\
                     -H 'Content-Type: application/json' \\
                     -d '{"query":"Why?"}'
      "
    `);
    expect(widest(printed)).toBeLessThanOrEqual(80);
  });

  test("keeps the flags that were typed, and quotes for a shell", () => {
    const typed = [
      ["--port", "9000"],
      ["--persist-to", "/tmp/it's here"],
      ["--var", "QUOTA_LIMIT:5"],
      ["--var", "OPENAI_MODEL:another"],
    ] as const;
    expect(words(print(found("a model; rm -rf $HOME `id`"), typed))).toEqual([
      ...["npm", "start", "--", "--port", "9000", "--persist-to", "/tmp/it's here"],
      ...["--var", "QUOTA_LIMIT:5", "--var", "GENERATOR:openai"],
      ...["--var", "OPENAI_BASE_URL:http://127.0.0.1:11434/v1"],
      ...["--var", "OPENAI_MODEL:a model; rm -rf $HOME `id`"],
    ]);
  });

  test.each(["AUTH_SECRET:hush", "OPENAI_API_KEY:hush", "RERANKER_BASE_URL:https://a.b/c?k=hush"])(
    "shows no secret of --var %s",
    (variable) => {
      const printed = print(found("llama3.2"), [["--var", variable]]);
      expect(printed).not.toContain("hush");
      expect(printed).toContain("Add this to your command to let it write:\n");
      expect(words(printed, "--var")).toEqual([
        ...["--var", "GENERATOR:openai"],
        ...["--var", "OPENAI_BASE_URL:http://127.0.0.1:11434/v1"],
        ...["--var", "OPENAI_MODEL:llama3.2"],
      ]);
    },
  );

  test("keeps the key of another endpoint from that server", () => {
    const printed = print({ ...found("llama3.2"), hasKey: true } as Writer);
    expect(words(printed).slice(-2)).toEqual(["--var", "OPENAI_API_KEY:"]);
  });

  test("is the model that is set and its host, and no more of its address", async () => {
    const set = (OPENAI_BASE_URL: string) => ({
      GENERATOR: "openai",
      OPENAI_MODEL: "gpt\u001b[2J-5",
      OPENAI_BASE_URL,
      OPENAI_API_KEY: "the-key",
    });
    const far = print(await writerOf(set("https://api.example.com/v1?key=the-key"), 0, []));
    expect(far).toContain("gpt\\x1b[2J-5 at api.example.com writes them.\n");
    expect(far).not.toMatch(/the-key|\/v1\?/);
    expect(far).not.toMatch(HARMFUL);

    const port = await serve(json(list("gpt-5")));
    const near = set(`http://127.0.0.1:${port}/v1`);
    expect(print(await writerOf(near, 0, []))).not.toContain("Nothing listens");
    servers.pop()?.close();
    expect(print(await writerOf(near, 0, []))).toContain(
      `Nothing listens at 127.0.0.1:${port} yet: start the model's server.`,
    );
    expect(asked).toEqual([]);
  });

  test("is the model of Workers AI", async () => {
    const printed = print(await writerOf({ GENERATOR: "workers-ai" }, 0, []));
    expect(printed).toContain("@cf/openai/gpt-oss-120b of Cloudflare Workers AI writes them.\n");
  });
});

function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}

function widest(printed: string): number {
  return Math.max(...printed.split("\n").map((line) => line.length));
}

/** The words that a shell makes of the printed command. */
function words(printed: string, beginning = "npm start"): string[] {
  const lines = printed.split("\n");
  const first = lines.findIndex((line) => line.trim().startsWith(beginning));
  const last = lines.findIndex((line, i) => i >= first && !line.endsWith(" \\"));
  const command = lines.slice(first, last + 1).join("\n");
  const shell = execFileSync("sh", ["-c", `printf '%s\\n' ${command.trimStart()}`]);
  return shell.toString().trimEnd().split("\n");
}
