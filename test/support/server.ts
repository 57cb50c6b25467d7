// A server run by `npm start` or `npm run serve`, on a free port,
// with data of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { isBundled } from "./bundle.ts";
import { type ModelServer, startModelServer } from "./model-server.ts";

export interface ServerOptions {
  readonly command: "start" | "serve";
  /** The folder of the release that is started: by default this one. */
  readonly release?: string;
  readonly vars?: Readonly<Record<string, string>>;
  /** The caller's folder. Without it, `stop` removes a temporary one. */
  readonly persistTo?: string;
  readonly port?: number;
  /** Host names it accepts, besides this machine's. */
  readonly hosts?: readonly string[];
  /** Other flags. */
  readonly flags?: readonly string[];
  /** Keeps its files in memory where possible: a busy disk distorts times. */
  readonly inMemory?: boolean;
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly persistTo: string;
  /** Ends it like Ctrl-C. */
  stop(): Promise<void>;
  /** Kills it and its children in the middle of their work. Data stays. */
  kill9(): Promise<void>;
}

/** The secret of the bearer tokens on the tests' servers. */
export const SECRET = "a secret that only this suite's servers know";

const MEMORY = "/dev/shm";
const PROJECT = join(import.meta.dirname, "../..");

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const parent = options.inMemory && existsSync(MEMORY) ? MEMORY : tmpdir();
  const own = await mkdtemp(join(parent, "belay-test-"));
  const persistTo = options.persistTo ?? join(own, "data");
  const privateFiles = join(own, "tmp");
  await mkdir(privateFiles);
  const vars = Object.entries(options.vars ?? {}).map(([name, value]) => `--var=${name}:${value}`);
  const child = spawn(
    process.execPath,
    [
      script(options),
      `--port=${options.port ?? 0}`,
      `--persist-to=${persistTo}`,
      ...(options.hosts ?? []).map((host) => `--name=${host}`),
      ...vars,
      ...(options.flags ?? []),
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, TMPDIR: privateFiles } },
  );
  const ended = once(child, "exit");
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const ready = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [, address] = /^Belay is ready on (\S+)$/.exec(line) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.once("close", (code) =>
      reject(new Error(`It ended with ${code} before it was ready:\n${log}`)),
    );
  });
  const url = await ready.catch(async (error: unknown) => {
    await rm(own, { recursive: true, force: true });
    throw error;
  });
  return {
    url,
    port: Number(new URL(url).port),
    pid: child.pid as number,
    persistTo,
    async stop() {
      child.kill("SIGTERM");
      await ended;
      await rm(own, { recursive: true, force: true });
    },
    async kill9() {
      child.kill("SIGKILL");
      await ended;
      // The watchdog kills the rest, then removes the private files.
      while ((await readdir(privateFiles)).some((name) => name.startsWith("belay-")))
        await delay(5);
      await rm(options.persistTo ? own : privateFiles, { recursive: true, force: true });
    },
  };
}

function script({ command, release }: ServerOptions): string {
  if (command === "serve" && release === undefined && isBundled) {
    return join(import.meta.dirname, "serve.ts");
  }
  return join(release ?? PROJECT, "scripts", `${command}.ts`);
}

export interface ScriptedServer extends RunningServer {
  readonly model: ModelServer;
}

/**
 * A server that asks a scripted model.
 * Unless a model is given, it has its own, which `stop` ends too.
 * Its secret is SECRET.
 */
export async function startScriptedServer({
  command = "serve",
  model,
  vars,
  ...options
}: Partial<ServerOptions> & { readonly model?: ModelServer } = {}): Promise<ScriptedServer> {
  const asked = model ?? (await startModelServer());
  const server = await startServer({
    ...options,
    command,
    vars: { AUTH_SECRET: SECRET, ...asked.vars, ...vars },
  });
  return {
    ...server,
    model: asked,
    async stop() {
      await server.stop();
      if (model === undefined) await asked.close();
    },
  };
}
