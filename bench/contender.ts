// What the benchmark asks, and how.

import type { Server } from "./server.ts";

export const CONTENDERS = [
  "do-pass",
  "do-write",
  "do-naive",
  "do-ledger",
  "hono",
  "ai-sdk",
  "belay",
] as const;

export type ContenderName = (typeof CONTENDERS)[number];

/** The ratios are to this one. */
export const YARDSTICK: ContenderName = "do-naive";

/** Without a load of its own it adds nothing to measure. */
export const FLOOR: ContenderName = "do-pass";

export interface Contender {
  readonly name: ContenderName;
  readonly server: Server;
  /** What each token has in the response. */
  readonly mark: string;
  /** What the end of a whole answer has. */
  readonly end: string;
  request(user: number, question: string): Promise<AskRequest>;
}

export interface AskRequest {
  readonly port: number;
  readonly path: string;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}
