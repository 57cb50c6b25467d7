// V8's inspector of a Worker, over its WebSocket.

import { once } from "node:events";
import { Failure } from "../scripts/command.ts";

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly children?: readonly number[];
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

interface Message {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #sent = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#receive(JSON.parse(data)));
    socket.addEventListener("close", () => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Failure("The inspector closed its connection."));
      }
    });
  }

  static async connect(port: number): Promise<Inspector> {
    const response = await fetch(`http://127.0.0.1:${port}/json`);
    const [target] = (await response.json()) as { webSocketDebuggerUrl: string }[];
    if (target === undefined) throw new Failure("The inspector knows no Worker.");
    const { pathname } = new URL(target.webSocketDebuggerUrl);
    const socket = new WebSocket(`ws://127.0.0.1:${port}${pathname}`);
    await once(socket, "open");
    return new Inspector(socket);
  }

  /** The profile of what the Worker does meanwhile. */
  async profile(intervalUs: number, work: () => Promise<void>): Promise<CpuProfile> {
    await this.#send("Profiler.enable");
    await this.#send("Profiler.setSamplingInterval", { interval: intervalUs });
    await this.#send("Profiler.start");
    await work();
    const { profile } = (await this.#send("Profiler.stop")) as { profile: CpuProfile };
    return profile;
  }

  /** Megabytes of JavaScript objects that are in use, after a collection. */
  async heapMb(): Promise<number> {
    await this.#send("HeapProfiler.collectGarbage");
    const { usedSize } = (await this.#send("Runtime.getHeapUsage")) as { usedSize: number };
    return usedSize / 1e6;
  }

  close(): void {
    this.#socket.close();
  }

  #send(method: string, params: object = {}): Promise<unknown> {
    this.#sent += 1;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(this.#sent, waiting);
    this.#socket.send(JSON.stringify({ id: this.#sent, method, params }));
    return waiting.promise;
  }

  #receive({ id, result, error }: Message): void {
    const waiting = this.#waiting.get(id ?? 0);
    if (waiting === undefined) return;
    this.#waiting.delete(id ?? 0);
    if (error === undefined) waiting.resolve(result);
    else waiting.reject(new Failure(`The inspector refuses: ${error.message}`));
  }
}
