// Belay as `npm run serve` starts it, with its samples, but with data and
// a secret of its own, and without .dev.vars. It asks the scripted model.

import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bearerToken } from "../scripts/bearer-token.ts";
import { Documents } from "../scripts/documents.ts";
import { LOCAL_VARIABLES } from "../scripts/local-variables.ts";
import { loadSamples } from "../scripts/samples.ts";
import type { Variables } from "../scripts/variables.ts";
import { bundle, workerd } from "../scripts/workerd.ts";
import { Server } from "./server.ts";

const SECONDS = 86_400;

export interface BelayOptions {
  readonly modelUrl: string;
  /** For its private files, deleted at its end. By default a new one. */
  readonly folder?: string;
  /** Another Worker around the real one. */
  readonly entry?: string;
  readonly variables?: Variables;
  /** Serve V8's inspector. */
  readonly isInspected?: boolean;
}

export class Belay {
  readonly server: Server;
  /** Where V8's inspector listens, if it was wanted. */
  readonly inspectorPort: number;
  /** The folder of the bundle. */
  readonly folder: string;
  readonly #variables: Variables;
  readonly #tokens = new Map<string, Promise<string>>();

  private constructor(server: Server, folder: string, variables: Variables, inspector: number) {
    this.server = server;
    this.folder = folder;
    this.inspectorPort = inspector;
    this.#variables = variables;
  }

  static async start(options: BelayOptions): Promise<Belay> {
    const { modelUrl, entry, variables, isInspected } = options;
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "belay-bench-")));
    const all: Variables = {
      ...LOCAL_VARIABLES,
      ALLOWED_HOSTS: "127.0.0.1",
      AUTH_SECRET: randomBytes(32).toString("base64url"),
      GENERATOR: "openai",
      OPENAI_BASE_URL: `${modelUrl}/v1`,
      OPENAI_MODEL: "lab",
      QUOTA_LIMIT: "1000000000",
      CONCURRENCY_LIMIT: "1000",
      REPEAT_WINDOW_SECONDS: "0",
      FAILURE_LIMIT: "100000",
      ...variables,
    };
    const data = join(folder, "data");
    await mkdir(data);
    await bundle(folder, undefined, entry);
    const program = await workerd(folder, { port: 0, persistTo: data, variables: all });
    const inspector = isInspected ? await freePort() : 0;
    const flag = isInspected ? [`--inspector-addr=127.0.0.1:${inspector}`] : [];
    const args = [...program.args, ...flag];
    const server = await Server.start("Belay", { ...program, args }, folder);
    const belay = new Belay(server, folder, all, inspector);
    try {
      const documents = new Documents(server.url, await belay.token("operator", true));
      await loadSamples(documents, data);
      return belay;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  token(user: string, operator = false): Promise<string> {
    const known = this.#tokens.get(user);
    if (known !== undefined) return known;
    const token = bearerToken(this.#variables, { user, operator, seconds: SECONDS });
    this.#tokens.set(user, token);
    return token;
  }

  async stop(): Promise<void> {
    await this.server.stop();
  }
}

/** workerd does not say on which port its inspector listens. */
async function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const probe = createServer();
  probe.listen(0, "127.0.0.1", () => {
    const address = probe.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    probe.close(() => resolve(port));
  });
  return promise;
}
