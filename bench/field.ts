// The field: the scripted model and all contenders, running.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT } from "../scripts/command.ts";
import { API_PREFIX } from "../src/protocol.ts";
import { Belay, type BelayOptions } from "./belay.ts";
import type { Contender, ContenderName } from "./contender.ts";
import { Server } from "./server.ts";
import { contenderWorker } from "./worker.ts";

const TOKENS_MAX = 4_096;

/** How the tokens and the end look in each format. */
const OURS = { mark: '"type":"token"', end: '"type":"done"' };
const OPENAI = { mark: '"delta":{"content"', end: "[DONE]" };
const UI_MESSAGES = { mark: '"type":"text-delta"', end: "[DONE]" };

const OBJECTS: readonly ContenderName[] = ["do-pass", "do-write", "do-naive"];
const PEERS: readonly ContenderName[] = ["hono", "ai-sdk"];

export class Field {
  readonly contenders: Contender[] = [];
  readonly #running: { stop(): Promise<void> }[] = [];
  /** Of all servers. */
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<Field> {
    return new Field(await mkdtemp(join(tmpdir(), "belay-bench-")));
  }

  async startModel(): Promise<Server> {
    const program = {
      file: process.execPath,
      args: [join(PROJECT, "bench/model.ts")],
      env: process.env,
      channel: "ipc" as const,
    };
    const folder = await this.#newFolder();
    return this.#ends(await Server.start("The scripted model", program, folder));
  }

  async startBelay(options: BelayOptions): Promise<Belay> {
    return this.#ends(await Belay.start({ folder: await this.#newFolder(), ...options }));
  }

  async startContenders(names: readonly ContenderName[], modelUrl: string): Promise<void> {
    const isWanted = (name: ContenderName) => names.includes(name);
    for (const name of OBJECTS.filter(isWanted)) {
      // Each has its own, so that none finds the memory or the objects of another.
      const server = await this.#startWorker({ entry: "objects.ts", modelUrl, objects: "Relay" });
      this.contenders.push({
        ...(name === "do-naive" ? OURS : OPENAI),
        name,
        server,
        request: async (user, question) => ({
          port: server.port,
          path: `/${name}?user=${user}`,
          body: { question },
        }),
      });
    }
    if (isWanted("do-ledger")) {
      const server = await this.#startWorker({ entry: "ledger.ts", modelUrl, objects: "Ledger" });
      this.contenders.push({
        ...OURS,
        name: "do-ledger",
        server,
        request: async (user, question) => ({
          port: server.port,
          path: `/?user=${user}`,
          body: { question },
        }),
      });
    }
    if (PEERS.some(isWanted)) {
      const server = await this.#startWorker({ entry: "peers.ts", modelUrl });
      for (const name of PEERS.filter(isWanted)) {
        this.contenders.push({
          ...(name === "hono" ? OURS : UI_MESSAGES),
          name,
          server,
          request: async (_user, question) => ({
            port: server.port,
            path: `/${name}`,
            body: { question },
          }),
        });
      }
    }
    if (isWanted("belay"))
      this.contenders.push(belayContender(await this.startBelay({ modelUrl })));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map((running) => running.stop()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #startWorker(options: Parameters<typeof contenderWorker>[1]): Promise<Server> {
    const folder = await this.#newFolder();
    const program = await contenderWorker(folder, options);
    return this.#ends(await Server.start(options.entry, program, folder));
  }

  #newFolder(): Promise<string> {
    return mkdtemp(join(this.#folder, "server-"));
  }

  #ends<Running extends { stop(): Promise<void> }>(running: Running): Running {
    this.#running.push(running);
    return running;
  }
}

export function belayContender(belay: Belay): Contender {
  return {
    ...OURS,
    name: "belay",
    server: belay.server,
    request: async (user, query) => ({
      port: belay.server.port,
      path: `${API_PREFIX}/ai/ask?stream=true`,
      body: { query, maxTokens: TOKENS_MAX },
      headers: { authorization: `Bearer ${await belay.token(readerOf(user))}` },
    }),
  };
}

export function readerOf(user: number): string {
  return `reader-${user}`;
}
