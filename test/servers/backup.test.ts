// Backups of a data folder, as docs/self-hosting.md describes them, on real
// servers: stop, copy, start. And what is no backup.

import { spawn } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { API_PREFIX } from "../../src/protocol.ts";
import { finished, PROJECT, type } from "../support/command.ts";
import { scripted } from "../support/directive.ts";
import { type ScriptedServer, SECRET, startScriptedServer } from "../support/server.ts";
import { ask, bearer, request } from "../support/socket-client.ts";

const USERS = "belay-UserObject";
const DIRECTORY = "belay-DirectoryObject";

interface Inspection {
  readonly settings: { readonly limit: number | null };
  readonly windows: readonly { readonly charged: number; readonly refunded: number }[];
  readonly queries: readonly { readonly queryId: string; readonly state: string }[];
  readonly audit: { readonly ok: boolean };
  readonly alarmAt: string | null;
}

interface Listed {
  readonly user: string;
  readonly asked: number;
  readonly charged: number;
}

let folder: string;
let token: string;
let operator: string;
/** What an operator saw when the backup was made. */
let before: {
  inspection: Omit<Inspection, "alarmAt">;
  listed: Listed | undefined;
  documents: unknown;
};
/** The queries of the user before the backup, and after it. */
let early: string;
let late: string;

const at = (name: string) => join(folder, name);

/** Users are reported to the directory within a second. */
const start = (name: string) =>
  startScriptedServer({ persistTo: at(name), vars: { SWEEP_INTERVAL_MS: "500" } });

async function get<T>({ url }: { url: string }, path: string): Promise<T> {
  return (await request<T>(`${url}${API_PREFIX}${path}`, { token: operator })).body;
}

async function change(server: ScriptedServer, method: string, path: string, body: unknown) {
  const url = `${server.url}${API_PREFIX}${path}`;
  const { status } = await request(url, { method, token: operator, body });
  expect(status).toBeLessThan(300);
}

/** Asks to the end, and resolves with the id of the query. */
async function askOnce({ url }: ScriptedServer): Promise<string> {
  const query = scripted({ tokens: 3, tag: crypto.randomUUID() });
  const stream = ask(url, { token, body: { query } });
  await stream.until("done");
  return stream.headers["x-query-id"] as string;
}

/** Asks and disconnects. */
async function leave({ url }: ScriptedServer): Promise<void> {
  const query = scripted({ tokens: 5, fault: "hang", at: 2, tag: crypto.randomUUID() });
  const stream = ask(url, { token, body: { query } });
  await stream.until("token");
  stream.close();
}

const inspected = (server: ScriptedServer) => get<Inspection>(server, "/admin/users/alice");

/** The user as the directory has them, once it has heard of all asks. */
async function listedAs(server: ScriptedServer, asked: number): Promise<Listed> {
  return vi.waitFor(
    async () => {
      const { users } = await get<{ users: Listed[] }>(server, "/admin/users?search=alice");
      const [alice] = users;
      expect(alice).toMatchObject({ user: "alice", asked });
      return alice as Listed;
    },
    { timeout: 20_000, interval: 100 },
  );
}

async function state(server: ScriptedServer, asked: number) {
  await vi.waitFor(async () => {
    const { queries } = await inspected(server);
    expect(queries.filter(({ state }) => state === "reserved")).toEqual([]);
  });
  const listed = await listedAs(server, asked);
  // The alarm rings again when it finds nothing to do.
  const { alarmAt: _, ...inspection } = await inspected(server);
  const documents = await get<unknown>(server, "/admin/documents");
  return { inspection, listed, documents };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belay-backup-"));
  token = await bearer(SECRET, { user: "alice" });
  operator = await bearer(SECRET, { user: "olivia", operator: true });

  const first = await start("data");
  await change(first, "PUT", "/admin/documents/early", { title: "Early", text: "Early text." });
  await change(first, "PATCH", "/admin/users/alice", { limit: 50 });
  early = await askOnce(first);
  await leave(first);
  before = await state(first, 2);
  await cp(at("data"), at("live"), { recursive: true, preserveTimestamps: true });
  await first.stop();
  await cp(at("data"), at("backup"), { recursive: true, preserveTimestamps: true });

  const second = await start("data");
  late = await askOnce(second);
  await askOnce(second);
  await change(second, "PUT", "/admin/documents/late", { title: "Late", text: "Late text." });
  await change(second, "PATCH", "/admin/users/alice", { limit: 70 });
  await listedAs(second, 4);
  await second.stop();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function serve(data: string) {
  const script = join(PROJECT, "test/support/serve.ts");
  return finished(type(process.execPath, [script, "--port=0", `--persist-to=${data}`]));
}

describe.concurrent("a copy of a folder whose server has ended", () => {
  test("is all that there was, and what came later is not found", async () => {
    await cp(at("backup"), at("restored"), { recursive: true });
    const server = await start("restored");
    try {
      expect(await state(server, 2)).toEqual(before);
      expect(before.inspection).toMatchObject({
        audit: { ok: true },
        windows: [{ charged: 1, refunded: 1 }],
      });
      const query = (id: string, path = "", init = {}) =>
        request(`${server.url}${API_PREFIX}/ai/queries/${id}${path}`, { token, ...init });
      expect((await query(early)).status).toBe(200);
      for (const [path, init] of [
        ["", {}],
        ["/events", {}],
        ["/cancel", { method: "POST" }],
        ["", { method: "DELETE" }],
      ] as const) {
        expect(await query(late, path, init)).toMatchObject({
          status: 404,
          body: {
            code: "NOT_FOUND",
            message: "There is no query with this id here. Check the id.",
          },
        });
      }
      // Its number is given to another query, which has another id.
      const again = await askOnce(server);
      expect(again).not.toBe(late);
      expect((await query(late)).status).toBe(404);
      const after = await state(server, 3);
      expect(after.inspection.audit.ok).toBe(true);
    } finally {
      await server.stop();
    }
  });

  test.each([
    ["users older than the directory", USERS, 2],
    ["a directory older than the users", DIRECTORY, 4],
  ])("as a part, with %s, agrees again after the next ask", async (_what, part, charged) => {
    const data = `mixed-${part}`;
    await cp(at("data"), at(data), { recursive: true });
    await rm(at(`${data}/${part}`), { recursive: true });
    await cp(at(`backup/${part}`), at(`${data}/${part}`), { recursive: true });
    const server = await start(data);
    try {
      await askOnce(server);
      const { inspection, listed } = await state(server, charged + 1);
      expect(inspection.audit.ok).toBe(true);
      expect([inspection.windows[0]?.charged, listed.charged]).toEqual([charged, charged]);
      const { days } = await get<{ days: { charged: number }[] }>(server, "/admin/totals");
      expect(days.reduce((sum, day) => sum + day.charged, 0)).toBe(charged);
    } finally {
      await server.stop();
    }
  });

  test("has no lock, and every database is in it", async () => {
    const names = await readdir(at("backup"), { recursive: true });
    expect(names).not.toContain("server.lock");
    expect(names.filter((name) => name.endsWith(".sqlite")).length).toBeGreaterThan(2);
  });
});

describe.concurrent("a copy of a folder whose server was running", () => {
  test("is refused, with what to do", async () => {
    const { code, stderr } = await serve(at("live"));
    expect(code).toBe(1);
    expect(stderr).toBe(
      `${at("live")} is a copy of a folder whose server was running, or had been killed. The files of a running server are of different moments: end it and copy them again. If none was running, delete ${join(at("live"), "server.lock")}.\n`,
    );
  });

  test("is not taken for one after a crash: the killed server's own folder starts", async () => {
    const killed = await start("killed");
    await askOnce(killed);
    await killed.kill9();
    await killed.model.close();
    expect(await readdir(at("killed"))).toContain("server.lock");
    const next = await start("killed");
    expect((await inspected(next)).audit.ok).toBe(true);
    await next.stop();
  });
});

test.concurrent("an erased user's words and name leave the files when these are vacuumed", async () => {
  const server = await start("erased");
  const [tag, user] = [crypto.randomUUID(), crypto.randomUUID()];
  const query = scripted({ tokens: 3, tag });
  await ask(server.url, { token: await bearer(SECRET, { user }), body: { query } }).until("done");
  const known = () => get<{ users: unknown[] }>(server, `/admin/users?search=${user}`);
  await vi.waitFor(async () => expect((await known()).users).toHaveLength(1), 20_000);
  await change(server, "DELETE", `/admin/users/${user}`, undefined);
  expect((await known()).users).toEqual([]);
  await server.stop();
  const files = (await readdir(at("erased"), { recursive: true }))
    .filter((name) => name.endsWith(".sqlite"))
    .map((name) => join(at("erased"), name));
  const hold = async (text: string) => {
    const texts = await Promise.all(files.map((file) => readFile(file, "latin1")));
    return texts.some((content) => content.includes(text));
  };
  // Otherwise there is nothing to remove.
  expect(await hold(tag)).toBe(true);
  for (const file of files) {
    const database = new DatabaseSync(file);
    database.exec("VACUUM");
    database.close();
  }
  expect([await hold(tag), await hold(user)]).toEqual([false, false]);
  const again = await start("erased");
  expect((await request(`${again.url}/healthz`)).status).toBe(200);
  await again.stop();
});

test.concurrent("a folder is for one server, also if the other one is in another container", async () => {
  const server = await start("shared");
  const hold = `import("${PROJECT}/scripts/data-folder.ts").then(({ holdFolder }) =>
    holdFolder(${JSON.stringify(at("shared"))}, false)).then(() => console.log("held"),
    (error) => console.log(error.message))`;
  // No address of this one is reached from there.
  const inside = ["--map-root-user", "--net", process.execPath, "-e", hold];
  const child = spawn("unshare", inside, { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  for await (const text of child.stdout) printed += text;
  expect(printed).toBe(
    `Another server keeps its data in ${at("shared")}: end that one, or choose another folder with --persist-to.\n`,
  );
  await server.stop();
});
