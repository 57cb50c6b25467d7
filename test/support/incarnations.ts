// Plain workerd with our bundle, made to be killed.
// It is restarted on the same storage in under 0.1 s,
// each time with empty memory.

import { once } from "node:events";
import { appendFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { ProcessGroup, type Program } from "../../scripts/process-group.ts";
import { workerd } from "../../scripts/workerd.ts";
import { copyBundle } from "./bundle.ts";

export interface Incarnations {
  /** Starts the next one, after the last is dead. Resolves when it listens. */
  start(): Promise<Incarnation>;
  /** The folder of their storage. */
  readonly persistTo: string;
  /** All their log lines so far. */
  readonly log: readonly string[];
  /** Removes the bundle and the storage. */
  remove(): Promise<void>;
}

export interface Incarnation {
  readonly url: string;
  /** In milliseconds since the epoch. */
  readonly startedAt: number;
  /** Kills it at once, in the middle of its work. Resolves when it is dead. */
  kill9(): Promise<void>;
  /** Fills its disk to the last byte, or frees it. Requires `ownDisk`. */
  fillDisk(full: boolean): Promise<void>;
}

/**
 * With `ownDisk`, storage is a small RAM disk that only this process sees.
 * It is lost when the process ends.
 */
export async function incarnations(
  variables: Readonly<Record<string, string>>,
  { ownDisk = false } = {},
): Promise<Incarnations> {
  const folder = await mkdtemp(join(tmpdir(), "belay-test-"));
  const bundled = join(folder, "bundle");
  const persistTo = join(folder, "data");
  await Promise.all([bundled, persistTo].map((path) => mkdir(path)));
  await copyBundle(bundled);
  const server = await workerd(bundled, { port: 0, persistTo, variables });
  const program = ownDisk ? onOwnDisk(server, persistTo) : server;
  const log: string[] = [];
  return {
    persistTo,
    log,
    async start() {
      const startedAt = Date.now();
      // The group removes its folder when it
      // ends; the bundle must survive that.
      const group = new ProcessGroup(program, await mkdtemp(join(folder, "group-")));
      for (const output of [group.leader.stdout, group.leader.stderr]) {
        createInterface({ input: output as Readable }).on("line", (line) => log.push(line));
      }
      const [message] = await Promise.race([
        once(createInterface({ input: group.leader.stdio[3] as Readable }), "line"),
        group.ended.then((how) => {
          throw new Error(`workerd ended with ${how} before it listened:\n${log.join("\n")}`);
        }),
      ]);
      return {
        url: `http://127.0.0.1:${JSON.parse(message).port}`,
        startedAt,
        async kill9() {
          group.leader.kill("SIGKILL");
          await group.ended;
          await group.stop(0);
        },
        async fillDisk(full) {
          const filler = `/proc/${group.leader.pid}/root${persistTo}/filler`;
          if (full) await fill(filler);
          else await rm(filler);
        },
      };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Needs no privileges where users may create namespaces. */
function onOwnDisk(program: Program, folder: string): Program {
  const mount = 'mount -t tmpfs -o size=16m tmpfs "$0" && exec "$@"';
  const unshare = ["--user", "--map-root-user", "--mount", "sh", "-c", mount, folder];
  return { ...program, file: "unshare", args: [...unshare, program.file, ...program.args] };
}

async function fill(path: string): Promise<void> {
  for (const size of [1 << 20, 1 << 12, 1]) {
    try {
      for (;;) await appendFile(path, Buffer.alloc(size));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
}
