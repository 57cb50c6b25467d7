// `npm run ask` against a real server and a scripted model: what it prints,
// charges and refuses, and how it ends.

import { createServer, type IncomingMessage, type Server } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { bearerToken } from "../../scripts/bearer-token.ts";
import { Documents } from "../../scripts/documents.ts";
import { makeAuthSecret, variables } from "../../scripts/variables.ts";
import { finished, scriptOf, type Typed, type } from "../support/command.ts";
import { type Directive, type ModelRequest, scripted } from "../support/directive.ts";
import { listen } from "../support/listen.ts";
import { type ScriptedServer, startScriptedServer } from "../support/server.ts";
import { startTamperingProxy } from "../support/tampering-proxy.ts";
import { FakeTerminal } from "../support/terminal.ts";
import { User } from "../support/user.ts";

/** A terminal, and some readers of logs, would obey these. */
const HOSTILE = "\x1b]0;owned\x07\x1b[2J\u009b31m\u202e";
const HARMFUL = /[^\P{Cc}\n\t]|\p{Bidi_Control}/u;
const WORDS = { tokens: ["It ", "opens ", "at **nine** ", "[1]."] };

let secret: string;
let server: ScriptedServer;
let operator: string;

beforeAll(async () => {
  await makeAuthSecret();
  secret = (await variables()).AUTH_SECRET as string;
  server = await startScriptedServer({ vars: { AUTH_SECRET: secret } });
  const claims = { user: "operator", operator: true, seconds: 3_600 };
  operator = await bearerToken({ AUTH_SECRET: secret }, claims);
  const documents = new Documents(server.url, operator);
  await documents.put("hours.md", {
    title: "Opening hours",
    text: "# Opening hours\n\n## Weekdays\n\nThe library opens at nine on weekdays.",
    url: "https://library.example/hours",
  });
  await documents.put("sundays.md", {
    title: `Sundays ${HOSTILE}`,
    text: `# Sundays\n\n## On Sundays ${HOSTILE}\n\nThe library opens at noon on Sundays.`,
    url: null,
  });
});
afterAll(() => server.stop());

describe.concurrent("an answer", () => {
  test("is printed with its sources and its charge", async () => {
    const { code, stdout, stderr } = await ask(question(WORDS, "When does the library open?"));
    expect(stderr).toBe("");
    const hostile = "\\x1b]0;owned\\x07\\x1b[2J\\x9b31m\\u{202e}";
    expect(stdout.replace(/\d{4}-\d\d-\d\d/, "DATE").split("\n")).toEqual([
      "It opens at **nine** [1].",
      "",
      "Sources",
      "[1] Opening hours › Weekdays",
      "    https://library.example/hours#weekdays",
      "",
      "Also found, not cited",
      `[2] Sundays ${hostile} › Sundays › On Sundays ${hostile}`,
      "    sundays.md",
      "",
      "Charged. 19 of 20 answers are left until DATE, 00:00 UTC.",
      "",
    ]);
    expect(code).toBe(0);
  });

  test("is one JSON object with --json, as the service gives it without a stream", async () => {
    const user = await newUser();
    const query = question(WORDS, "When does the library open?");
    const { code, stdout, stderr } = await ask(query, ["--json"], { BELAY_TOKEN: user.token });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n").length).toBe(2);
    const other = await newUser();
    const response = await fetch(`${server.url}/api/v1/ai/ask`, {
      method: "POST",
      headers: { authorization: `Bearer ${other.token}`, "content-type": "application/json" },
      body: JSON.stringify({ query }),
    });
    const body = await response.json();
    expect(JSON.parse(stdout)).toEqual({ ...(body as object), queryId: expect.any(String) });
    expect(await user.quota()).toMatchObject({ charged: 1, reserved: 0 });
  });

  test("that finds nothing is free, and says so", async () => {
    const query = question({ tokens: ["[0] ", "There is ", "nothing."] });
    const { code, stdout } = await ask(query);
    expect(stdout).toMatch(
      /^There is nothing\.\n\nClosest passages\n\[1\] (?:.*\n)+\nNot charged, because nothing was found\. 20 of 20 answers are left/,
    );
    expect(code).toBe(0);
    const json = await ask(query, ["--json"]);
    expect(json.code).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({ found: false, quotaRemaining: 20 });
  });

  test("that a limit cuts names the flag that raises it", async () => {
    const endless = { fault: "endless", ignoreMaxTokens: true, tokenLength: 40 } as const;
    const { code, stdout } = await ask(question(endless), ["--max-tokens=20"]);
    expect(stdout).toContain("The answer reached its longest length: raise --max-tokens. Charged.");
    expect(code).toBe(0);
  });

  test("uses the flags, as the named user", async () => {
    const name = `user ${crypto.randomUUID()}`;
    const { code, stdout, model } = await ask(question(WORDS, "When does the library open?"), [
      `--user=${name}`,
      "--top-k=1",
      "--max-tokens=77",
    ]);
    expect(code).toBe(0);
    expect(stdout.match(/^\[\d\]/gm)).toEqual(["[1]"]);
    expect(model?.options).toMatchObject({ max_tokens: 77 });
    const user = await User.on(server.url, secret, name);
    expect(await user.quota()).toMatchObject({ charged: 1 });
  });

  test("follows the user's last answer with --follow-up", async () => {
    const token = { BELAY_TOKEN: (await newUser()).token };
    const early = await ask("And on Sundays?", ["--follow-up"], token);
    expect(early).toMatchObject({
      code: 1,
      stdout: "",
      stderr: "There is no answer that --follow-up could follow. Ask first.\n",
    });
    const first = await ask(question(WORDS, "When does the library open?"), [], token);
    const second = await ask(question(WORDS, "And on Sundays?"), ["--follow-up"], token);
    expect(second.code).toBe(0);
    const added = Number(second.model?.messageCount) - Number(first.model?.messageCount);
    expect(added).toBe(2);
  });

  test.each([{ flags: [] }, { flags: ["--json"] }])(
    "prints no control character of documents and models with $flags",
    async ({ flags }) => {
      const tokens = ["One ", HOSTILE, " two &#27;[31m\r", "\n\tthree \ud83d", "\ude00 [1] [2]"];
      const { code, stdout, stderr } = await ask(question({ tokens }, "Sundays?"), flags);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).not.toMatch(HARMFUL);
      expect(stdout).toContain("😀");
      if (flags.length > 0) {
        expect(JSON.parse(stdout).answer).toContain(HOSTILE);
        expect(JSON.stringify(JSON.parse(stdout).sources)).toContain("\u202e");
      } else expect(stdout).toContain("\\x1b]0;owned\\x07\\x1b[2J\\x9b31m\\u{202e}");
    },
  );

  test("arrives whole and is charged once if the connection drops in it", async () => {
    const user = await newUser();
    const proxy = await startTamperingProxy(server.url, { cutsBehind: "w7 " });
    const directive = { tokens: 20, gapMs: 20 };
    const { code, stdout, stderr } = await ask(
      question(directive),
      [],
      { BELAY_TOKEN: user.token },
      proxy.url,
    );
    await proxy.close();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const text = Array.from({ length: 20 }, (_, n) => `w${n} `).join("");
    expect(stdout.slice(0, text.length + 1)).toBe(`${text}\n`);
    expect(await user.quota()).toMatchObject({ charged: 1, refunded: 0, reserved: 0 });
  });
});

describe.concurrent("in a terminal", () => {
  test("is styled, and ends as a terminal shows it", async () => {
    const tokens = [
      "# Hours\n\nIt **opens** ",
      "at `nine`, ",
      `${"which is early ".repeat(6)}`,
      "[1].",
    ];
    const { code, terminal, written } = await inTerminal(question({ tokens, gapMs: 60 }));
    expect(code).toBe(0);
    expect(terminal.lines.slice(0, 6)).toEqual([
      "Hours",
      "",
      "It opens at nine, which is early which",
      "is early which is early which is early",
      "which is early which is early [1].",
      "",
    ]);
    expect(terminal.lines).toContain("[1] Opening hours › Weekdays");
    expect(written).toContain("\x1b[1mopens\x1b[22m");
    expect(written).toContain("Searching …");
    expect(terminal.lines.join("\n")).not.toContain("Searching");
  });

  test("has no styles with NO_COLOR", async () => {
    const { written } = await inTerminal(question(WORDS), { NO_COLOR: "1" });
    expect(written).toContain("at **nine** [1].");
    expect(written).not.toMatch(/(?!\n)\p{Cc}\[[\d;]*m/u);
  });

  test("is plain where the terminal is dumb", async () => {
    const { written } = await inTerminal(question(WORDS), { TERM: "dumb" });
    expect(written).toContain("at **nine** [1].");
    expect(written).not.toContain("\x1b");
  });

  test("says that the connection was lost, until it is back", async () => {
    const proxy = await startTamperingProxy(server.url, { cutsBehind: "w3 " });
    const { code, written, terminal } = await inTerminal(
      question({ tokens: 8, gapMs: 50 }),
      {},
      proxy.url,
    );
    await proxy.close();
    expect(code).toBe(0);
    expect(written).toContain("The connection was lost. Connecting again …");
    expect(terminal.lines.slice(0, 2)).toEqual(["w0 w1 w2 w3 w4 w5 w6 w7", ""]);
  });
});

describe.concurrent("Ctrl-C", () => {
  test.each([
    { signal: "SIGINT", flags: [] },
    { signal: "SIGTERM", flags: [] },
    { signal: "SIGHUP", flags: ["--json"] },
  ] as const)("as $signal with $flags stops the model, and nothing is charged", async (row) => {
    const user = await newUser();
    const tag = crypto.randomUUID();
    const command = typed(question({ tokens: 500, gapMs: 20, tag }), row.flags, {
      BELAY_TOKEN: user.token,
    });
    await vi.waitFor(() => {
      expect(recordOf(tag)?.tokensSent).toBeGreaterThan(3);
      if (row.flags.length === 0) expect(command.stdout()).toContain("w1 ");
    }, 20_000);
    command.process.kill(row.signal);
    // npm passes on what the terminal has sent already.
    command.process.kill(row.signal);
    const { code, stdout, stderr } = await finished(command);
    expect(code).toBe(130);
    const said = "Stopped. You were not charged.";
    if (row.flags.length === 0) {
      expect(stderr).toBe(`${said}\n`);
      expect(stdout).toMatch(/^w0 w1 [^\n]*\n$/);
    } else {
      expect(stderr).toBe("");
      expect(JSON.parse(stdout)).toEqual({
        type: "error",
        message: said,
        code: "CANCELLED",
        queryId: expect.any(String),
      });
    }
    expect(await user.resolved()).toMatchObject({ state: "refunded", reason: "cancelled" });
    await vi.waitFor(() => expect(recordOf(tag)?.state).toBe("aborted"), 5_000);
  });

  test("before the first event stops the search", async () => {
    const user = await newUser();
    const command = typed(question({ fault: "hang-before-headers" }), [], {
      BELAY_TOKEN: user.token,
    });
    await vi.waitFor(async () => expect(await user.queries()).toHaveLength(1), 20_000);
    command.process.kill("SIGINT");
    expect(await finished(command)).toEqual({
      code: 130,
      stdout: "",
      stderr: "Stopped. You were not charged.\n",
    });
  });

  test("says that the answer is charged if the refunds are used up", async () => {
    const user = await newUser({ refundLimit: 0 });
    const tag = crypto.randomUUID();
    const command = typed(question({ tokens: 30, gapMs: 30, tag }), [], {
      BELAY_TOKEN: user.token,
    });
    await vi.waitFor(() => expect(recordOf(tag)?.tokensSent).toBeGreaterThan(3), 20_000);
    command.process.kill("SIGINT");
    expect(await finished(command)).toMatchObject({
      code: 130,
      stderr: "Stopped. Your refunds are used up, so the answer is finished and charged.\n",
    });
    expect(await user.resolved()).toMatchObject({ state: "charged" });
  });

  test("is not needed when the reader of the output ends", async () => {
    const user = await newUser();
    const tag = crypto.randomUUID();
    const command = typed(question({ tokens: 500, gapMs: 20, tag }), [], {
      BELAY_TOKEN: user.token,
    });
    await vi.waitFor(() => expect(command.stdout()).toContain("w3 "), 20_000);
    command.process.stdout?.destroy();
    expect(await finished(command)).toMatchObject({
      code: 1,
      stderr: "The output was closed. Stopped. You were not charged.\n",
    });
    expect(await user.resolved()).toMatchObject({ state: "refunded", reason: "cancelled" });
  });
});

describe.concurrent("without an answer, it says why:", () => {
  test("the model failed", async () => {
    const user = await newUser();
    const token = { BELAY_TOKEN: user.token };
    const failing = question({ tokens: 5, fault: "cut", at: 3 });
    const { code, stdout, stderr } = await ask(failing, [], token);
    expect(code).toBe(1);
    expect(stdout).toBe("w0 w1 w2 \n");
    expect(stderr).toMatch(/^[^\n]*You were not charged[^\n]*\n$/);
    const json = await ask(failing, ["--json"], token);
    expect(json).toMatchObject({ code: 1, stderr: "" });
    expect(JSON.parse(json.stdout)).toMatchObject({
      type: "error",
      code: "GENERATION_FAILED",
      queryId: expect.any(String),
      quotaRemaining: 20,
    });
    expect(await user.quota()).toMatchObject({ charged: 0, refunded: 2 });
  });

  test("the quota is used up", async () => {
    const name = crypto.randomUUID();
    await newUser({ limit: 1 }, name);
    const flags = [`--user=${name}`];
    expect((await ask(question(WORDS), flags)).stdout).toContain(
      "Charged. 0 of 1 answers are left",
    );
    const { code, stdout, stderr } = await ask(question(WORDS), flags);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^Your quota is used up, and this question was not charged\. It renews on \d{4}-\d\d-\d\d, 00:00 UTC\. Until then, --user NAME asks as another user\.\n$/,
    );
    const json = await ask(question(WORDS), [...flags, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      type: "error",
      code: "QUOTA_EXCEEDED",
      quotaRemaining: 0,
      resetsAt: expect.any(String),
    });
    expect(json).toMatchObject({ code: 1, stderr: "" });
  });

  test("the token is wrong, and where it came from", async () => {
    const local = await bearerToken({ AUTH_SECRET: secret }, { user: "late", seconds: -60 });
    expect(await ask("When?", [], { BELAY_TOKEN: local })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^The server refuses the bearer token: .*\. It came from BELAY_TOKEN: renew it, or leave it out to have one signed\.\n$/,
      ),
    });
    expect((await ask("When?", [`--token=${local}`])).stderr).toContain("It came from --token");
  });

  test("the server has another secret", async () => {
    const other = await startScriptedServer({ model: server.model });
    const { code, stderr } = await ask("When?", [], {}, other.url);
    await other.stop();
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^The server refuses the bearer token: .* It was signed with AUTH_SECRET of \.dev\.vars, and the server has another secret: set BELAY_TOKEN\.\n$/,
    );
  });

  test("no server runs", async () => {
    const gone = createServer();
    const url = await listen(gone);
    await new Promise((resolve) => gone.close(resolve));
    const { code, stdout, stderr } = await ask("When?", [], {}, url);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^No server can be reached at http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED .*\. Start one with npm start, or name another with --server URL\.\n$/,
    );
    const json = await ask("When?", ["--json"], {}, url);
    expect(json).toMatchObject({ code: 1, stderr: "" });
    expect(JSON.parse(json.stdout)).toMatchObject({ type: "error", code: "CONNECTION_LOST" });
  });

  test("the server is not Belay", async () => {
    const { code, stderr } = await onServer((_, respond) => respond(404, "<h1>Not here</h1>"));
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+ answers \(404\), but not as Belay does\. Check --server\.\n$/,
    );
  });

  test.each([
    [[], 'The question is missing: npm run -s ask -- "...".'],
    [[" "], 'The question is missing: npm run -s ask -- "...".'],
    [["When?", "--jsn"], "Unknown option '--jsn'. Did you mean --json?"],
    [["When?", "--maxtokens=5"], "Unknown option '--maxtokens'. Did you mean --max-tokens?"],
    [["When?", "--top=5"], "Unknown option '--top'. Did you mean --top-k?"],
    [["When?", "--zzz"], "Unknown option '--zzz'."],
    [["When?", "--top-k=21"], "--top-k must be a whole number from 1 to 20."],
    [["When?", "--max-tokens=many"], "--max-tokens must be a whole number from 1 to 4096."],
    [
      ["When?", "--server=belay.example.com"],
      "--server takes a scheme, a host and a port only, such as http://127.0.0.1:8787.",
    ],
    [["When?", "--token=a b"], "--token must be a bearer token."],
    [
      ["When?", "--token=t", "--user=alice"],
      "--user does not go with a bearer token, which names its user.",
    ],
    [["When?", "--user="], "--user must be 1 to 128 characters, none of them a control character."],
    [
      ["When?", "--server=https://belay.example", "--user=alice"],
      "--user is for a server on this machine. Set BELAY_TOKEN instead.",
    ],
    [
      ["When?", "--server=https://belay.example"],
      "Set BELAY_TOKEN to a bearer token of https://belay.example: a command signs one itself only for a server on this machine.",
    ],
  ])("%j is wrong", async (args, message) => {
    const env = { BELAY_TOKEN: "" };
    expect(await finished(type(process.execPath, [scriptOf("ask"), ...args], env))).toEqual({
      code: 2,
      stdout: "",
      stderr: `${message} --help tells more.\n`,
    });
  });

  test("npm took a flag for itself", async () => {
    const words = ["run", "-s", "ask", "When?", "--top-k", "3"];
    expect(await finished(type("npm", words, { BELAY_TOKEN: "" }))).toMatchObject({
      code: 2,
      stdout: "",
      stderr:
        'npm took --top-k for itself: write npm run -s ask -- "..." --top-k. --help tells more.\n',
    });
  });

  test("wrong flags, in JSON too", async () => {
    const args = [scriptOf("ask"), "When?", "--json", "--top=5"];
    const { code, stdout, stderr } = await finished(type(process.execPath, args));
    expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      type: "error",
      message: "Unknown option '--top'. Did you mean --top-k? --help tells more.",
      code: "INVALID_REQUEST",
    });
  });
});

describe.concurrent("the bearer token", () => {
  test("of the environment goes to a server on another machine", async () => {
    const sent = await onServer((request, respond) => respond(404, request.url ?? ""), {
      host: "127.0.0.2",
      env: { BELAY_TOKEN: "their.bearer.token" },
    });
    expect(sent.authorizations).toEqual(["Bearer their.bearer.token"]);
  });

  test.each(["ask", "ingest", "canary", "conformance"])(
    "that npm run %s signs does not go to another machine",
    async (script) => {
      const sent = await onServer((_, respond) => respond(404, ""), { host: "127.0.0.2", script });
      expect(sent).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(
          /^Set BELAY_TOKEN to a bearer token of http:\/\/127\.0\.0\.2/,
        ),
        authorizations: [],
      });
    },
  );

  test("does not follow a redirect", async () => {
    const other: string[] = [];
    const elsewhere = createServer((request, response) => {
      other.push(request.headers.authorization ?? "none");
      response.end();
    });
    const location = await listen(elsewhere);
    const { code, stderr } = await onServer((_, respond) => respond(307, "", { location }));
    elsewhere.close();
    expect(other).toEqual([]);
    expect(code).toBe(1);
    expect(stderr).toContain("unexpected redirect");
  });
});

/** A question that tells the model what to do. */
function question(directive: Directive, words = "When does the library open?"): string {
  return scripted({ tag: crypto.randomUUID(), ...directive }, words);
}

function recordOf(tag: string): ModelRequest | undefined {
  return server.model.requests.find((request) => request.tag === tag);
}

/** Without a token, it signs one for a new user. */
function typed(
  query: string,
  flags: readonly string[] = [],
  env: Record<string, string> = {},
  url = server.url,
): Typed {
  const named = flags.some((flag) => /^--(user|token)=/.test(flag));
  const user = named || env.BELAY_TOKEN ? [] : [`--user=${crypto.randomUUID()}`];
  const args = [scriptOf("ask"), query, `--server=${url}`, ...user, ...flags];
  return type(process.execPath, args, { BELAY_TOKEN: "", ...env });
}

async function ask(...args: Parameters<typeof typed>) {
  const { code, stdout, stderr } = await finished(typed(...args));
  const [, tag = ""] = /"tag":"([^"]*)"/.exec(args[0]) ?? [];
  return { code, stdout, stderr, model: recordOf(tag) };
}

/** Asks in a terminal of 40 columns. */
async function inTerminal(query: string, env: Record<string, string> = {}, url = server.url) {
  const words = [process.execPath, scriptOf("ask"), query, `--server=${url}`];
  const asked = [...words, `--user=${crypto.randomUUID()}`].map((word) => `'${word}'`).join(" ");
  const command = type("script", ["-qec", `stty cols 40 rows 50 && ${asked}`, "/dev/null"], {
    // Node shows no colours where CI is set.
    ...{ BELAY_TOKEN: "", NO_COLOR: "", CI: undefined },
    TERM: "xterm-256color",
    ...env,
  });
  const { code, stdout } = await finished(command);
  const terminal = new FakeTerminal(40, 50);
  terminal.write(stdout);
  return { code, written: stdout, terminal };
}

/** A user with settings of their own. */
async function newUser(
  settings: { limit?: number; refundLimit?: number } = {},
  name: string = crypto.randomUUID(),
): Promise<User> {
  const response = await fetch(`${server.url}/api/v1/admin/users/${name}`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${operator}`, "content-type": "application/json" },
    body: JSON.stringify(settings),
  });
  expect(response.status).toBe(200);
  return User.on(server.url, secret, name);
}

type Respond = (status: number, body: string, headers?: Record<string, string>) => void;

/** Runs a command on a server that is not Belay. */
async function onServer(
  handle: (request: IncomingMessage, respond: Respond) => void,
  { host = "127.0.0.1", script = "ask", env = {} as Record<string, string> } = {},
) {
  const authorizations: string[] = [];
  const other: Server = createServer((request, response) => {
    authorizations.push(request.headers.authorization ?? "none");
    handle(request, (status, body, headers) => response.writeHead(status, headers).end(body));
  });
  other.listen(0, host);
  while (other.address() === null) await delay(5);
  const { port } = other.address() as { port: number };
  const args = [scriptOf(script), `--server=http://${host}:${port}`];
  if (script === "ask") args.push("When?");
  if (script === "ingest") args.push("docs");
  const command = type(process.execPath, args, {
    BELAY_TOKEN: "",
    BELAY_OPERATOR_TOKEN: "",
    ...env,
  });
  const ended = await finished(command);
  other.close();
  return { ...ended, authorizations };
}
