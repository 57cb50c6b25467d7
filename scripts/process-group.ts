// A program in a process group of its own, so that whatever it starts ends with it, and a watchdog that
// sees to that even when this process is killed before it can.

import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** What it has as descriptor 3, to say which port it listens on. */
  readonly channel: "ipc" | "pipe";
}

// Its standard input ends when this process does, however that comes about.
const WATCHDOG = 'read -r _; kill -s KILL -- "-$1" 2>/dev/null; rm -rf -- "$2"';

export class ProcessGroup {
  readonly leader: ChildProcess;
  /** How the leader ended, in words. */
  readonly ended: Promise<string>;
  readonly #watchdog: ChildProcess;
  readonly #cleared: Promise<unknown>;

  /** The folder holds the program's private files, and goes when the group does. */
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

  /** Lets the leader end by itself for a while; what is left then is killed. */
  async stop(graceMs: number): Promise<void> {
    this.leader.kill("SIGTERM");
    await Promise.race([this.ended, delay(graceMs)]);
    this.#watchdog.stdin?.end();
    await this.#cleared;
  }
}
