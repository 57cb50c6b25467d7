// A program of the benchmark that listens on the loopback: workerd with
// a contender, or the scripted model.

import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { Failure } from "../scripts/command.ts";
import { ProcessGroup, type Program } from "../scripts/process-group.ts";
import { cpuMs, memoryMb } from "./usage.ts";

const START_TIMEOUT_MS = 60_000;
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
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      timeout.reject(failed(`it was not ready after ${START_TIMEOUT_MS / 1_000} seconds`));
    }, START_TIMEOUT_MS);
    try {
      const ended = group.ended.then((how) => Promise.reject(failed(how)));
      return new Server(await Promise.race([group.port(), ended, timeout.promise]), group);
    } catch (error) {
      await group.stop(0);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get cpuMs(): number {
    return cpuMs(this.#group.leader.pid as number);
  }

  get memoryMb(): number {
    return memoryMb(this.#group.leader.pid as number);
  }

  async stop(): Promise<void> {
    await this.#group.stop(1_000);
  }
}

/** Reads all: a full pipe would make the program wait. */
function keepLines(output: Readable | null, lines: string[]): void {
  if (output === null) return;
  createInterface({ input: output }).on("line", (line) => {
    lines.push(line);
    if (lines.length > LINES_KEPT) lines.shift();
  });
}
