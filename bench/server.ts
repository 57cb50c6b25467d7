// A program of the benchmark that listens on the loopback: workerd with
// a contender, or the scripted model.

import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../scripts/command.ts";
import { ProcessGroup, type Program } from "../scripts/process-group.ts";
import { cpuMs, fineCpuMs, memoryMb } from "./usage.ts";

const START_TIMEOUT_MS = 60_000;
const READ_MS = 100;
const LINES_KEPT = 20;

export class Server {
  readonly port: number;
  readonly #group: ProcessGroup;

  private constructor(port: number, group: ProcessGroup) {
    this.port = port;
    this.#group = group;
  }

  /** @param folder Its private files, deleted at its end. */
  static async start(name: string, program: Program, folder: string): Promise<Server> {
    const group = new ProcessGroup(program, folder);
    const lines: string[] = [];
    const { stdout, stderr } = group.leader;
    for (const output of [stdout, stderr]) keepLines(output, lines);
    const failed = (reason: string) =>
      new Failure([`${name} does not start: ${reason}.`, ...lines].join("\n"));
    const timeout = new AbortController();
    const late = async (): Promise<never> => {
      await delay(START_TIMEOUT_MS, undefined, { signal: timeout.signal });
      throw failed(`it was not ready after ${START_TIMEOUT_MS / 1_000} seconds`);
    };
    const ended = async (): Promise<never> => {
      const how = await group.ended;
      // What it last said may still be in the pipe.
      await delay(READ_MS);
      throw failed(how);
    };
    try {
      return new Server(await Promise.race([portOf(group), ended(), late()]), group);
    } catch (error) {
      await group.stop(0);
      throw error;
    } finally {
      timeout.abort();
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get cpuMs(): number {
    return cpuMs(this.#group.leader.pid as number);
  }

  get fineCpuMs(): number {
    return fineCpuMs(this.#group.leader.pid as number);
  }

  get memoryMb(): number {
    return memoryMb(this.#group.leader.pid as number);
  }

  async stop(): Promise<void> {
    await this.#group.stop(1_000);
  }
}

/** Never, if it ends before it listens. */
async function portOf(group: ProcessGroup): Promise<number> {
  return group.port().catch(() => new Promise(() => {}));
}

/** Reads all: a full pipe would make the program wait. */
function keepLines(output: Readable | null, lines: string[]): void {
  if (output === null) return;
  createInterface({ input: output }).on("line", (line) => {
    lines.push(line);
    if (lines.length > LINES_KEPT) lines.shift();
  });
}
