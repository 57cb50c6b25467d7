// A program and all that it starts, in a process group that ends as one. A
// watchdog ends it even if this process is killed.

import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "./command.ts";

export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Descriptor 3: it sends the port that it listens on. */
  readonly channel: "ipc" | "pipe";
}

// Its standard input ends when this process does.
const WATCHDOG = 'read -r _; kill -s KILL -- "-$1" 2>/dev/null; rm -rf -- "$2"';

export class ProcessGroup {
  readonly leader: ChildProcess;
  /** How the leader ended, in words. */
  readonly ended: Promise<string>;
  readonly #watchdog: ChildProcess;
  readonly #cleared: Promise<unknown>;

  /** @param folder The program's private files, deleted at its end. */
  constructor(program: Program, folder: string) {
    const stdio: StdioOptions = ["ignore", "pipe", "pipe", program.channel];
    this.leader = spawn(program.file, program.args, { env: program.env, stdio, detached: true });
    this.ended = new Promise((resolve) => {
      this.leader.once("error", (error) => resolve(error.message));
      this.leader.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    this.#watchdog = spawn("sh", ["-c", WATCHDOG, "watchdog", `${this.leader.pid}`, folder], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.#cleared = once(this.#watchdog, "exit");
  }

  /** The port that the program listens on, once it does. */
  async port(): Promise<number> {
    if (this.leader.channel) {
      const [message] = await once(this.leader, "message");
      return JSON.parse(message).port;
    }
    for await (const line of createInterface({ input: this.leader.stdio[3] as Readable })) {
      const { event, port } = JSON.parse(line);
      // The inspector, where it is on, listens too.
      if (event === "listen") return port;
    }
    return this.death();
  }

  /** Rejects when the leader ends. */
  async death(): Promise<never> {
    throw new Failure(`The server has ended by itself: ${await this.ended}.`);
  }

  /** Gives the leader some time to end, then kills what is left. */
  async stop(graceMs: number): Promise<void> {
    this.leader.kill("SIGTERM");
    await Promise.race([this.ended, delay(graceMs)]);
    this.#watchdog.stdin?.end();
    await this.#cleared;
  }
}
