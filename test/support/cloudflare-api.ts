// Cloudflare's API as far as `wrangler deploy` uses it, on this machine: the
// real wrangler uploads to it. It serves what was uploaded under workerd, with
// the variables and secrets of the upload.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { ProcessGroup } from "../../scripts/process-group.ts";
import { workerd } from "../../scripts/workerd.ts";
import { listen } from "./listen.ts";

interface Binding {
  readonly type: string;
  readonly name: string;
  readonly text?: string;
}

/** A version of the Worker. */
export interface Upload {
  readonly bindings: readonly Binding[];
  readonly migrations: unknown;
}

export interface CloudflareOptions {
  /** The secrets of each Worker that exists before. */
  readonly workers?: Readonly<Record<string, readonly string[]>>;
  readonly accounts?: readonly string[];
  /** Answers requests that begin with this, such as `PUT /accounts`, with this status. */
  readonly failing?: readonly [request: string, status: number];
  /** Serves what is uploaded. */
  readonly serves?: boolean;
}

export class CloudflareApi {
  readonly uploads: Upload[] = [];
  /** Where the uploaded Worker answers. */
  readonly workerUrl: string;
  readonly #server: Server;
  readonly #options: CloudflareOptions;
  readonly #folder: string;
  readonly #port: number;
  /** The secrets of each Worker. */
  readonly #workers: Map<string, Map<string, string>>;
  #running: ProcessGroup | undefined;
  #versions = 0;

  private constructor(options: CloudflareOptions, folder: string, port: number) {
    this.#options = options;
    this.#folder = folder;
    this.#port = port;
    this.workerUrl = `http://127.0.0.1:${port}`;
    const workers = Object.entries(options.workers ?? {});
    this.#workers = new Map(
      workers.map(([name, secrets]) => [name, new Map(secrets.map((one) => [one, ""]))]),
    );
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(options: CloudflareOptions = {}): Promise<CloudflareApi> {
    const folder = await mkdtemp(join(tmpdir(), "belay-cloudflare-"));
    // A port that is free.
    const probe = createServer();
    const url = await listen(probe);
    await new Promise((resolve) => probe.close(resolve));
    const api = new CloudflareApi(options, folder, Number(new URL(url).port));
    await listen(api.#server);
    return api;
  }

  /** For a wrangler that is logged in here. */
  get environment(): Readonly<Record<string, string>> {
    const { port } = this.#server.address() as AddressInfo;
    return {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}`,
      CLOUDFLARE_API_TOKEN: "a-token-of-this-api",
    };
  }

  secretsOf(worker: string): Readonly<Record<string, string>> | undefined {
    const secrets = this.#workers.get(worker);
    return secrets && Object.fromEntries(secrets);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await this.#running?.stop(2_000);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "", "http://api");
    const body = await buffer(request);
    const asked = `${request.method} ${pathname}`;
    const [failing, failure = 0] = this.#options.failing ?? [];
    const [status, answer] =
      failing !== undefined && asked.startsWith(failing)
        ? [failure, errors(10000, "This API refuses it.")]
        : await this.#result(asked, new Response(body, { headers: headersOf(request) }));
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }

  async #result(asked: string, body: Response): Promise<[status: number, answer: unknown]> {
    const accounts = (this.#options.accounts ?? ["one"]).map((id) => ({
      id,
      name: `${id} account`,
    }));
    const [, worker = "", rest] =
      /^\w+ \/accounts\/\w+\/workers\/(?:scripts|services|workers)\/([\w-]+)(\/.*)?$/.exec(asked) ??
      [];
    const secrets = this.#workers.get(worker);
    if (asked === "GET /user/tokens/verify") return found({ id: "token", status: "active" });
    if (asked === "GET /user") return found({ id: "user", email: "someone@example.com" });
    if (asked === "GET /accounts") return found(accounts);
    if (asked === "GET /memberships") {
      return found(accounts.map((account) => ({ id: "membership", account, roles: [] })));
    }
    if (/workers\/subdomain$/.test(asked)) return found({ subdomain: "someone" });
    if (rest === "/subdomain") return found({ enabled: true, previews_enabled: true });
    if (rest === "/assets-upload-session") return found({ jwt: "jwt", buckets: [] });
    if (asked.startsWith("PUT") && rest === undefined) return this.#upload(worker, body);
    if (secrets === undefined) {
      if (rest === "/deployments") return found({ deployments: [] });
      return [404, errors(10007, "This Worker does not exist on your account.")];
    }
    if (rest === "/secrets") {
      return found([...secrets.keys()].map((name) => ({ name, type: "secret_text" })));
    }
    if (rest === "/deployments") return found({ deployments: [] });
    if (/\/workers\/services\//.test(asked)) {
      return found({ id: worker, default_environment: { environment: "production", script: {} } });
    }
    if (/\/workers\/workers\//.test(asked)) {
      return found({
        id: worker,
        name: worker,
        subdomain: { enabled: true, previews_enabled: true },
      });
    }
    return [404, errors(7003, `Could not route to ${asked}.`)];
  }

  async #upload(worker: string, body: Response): Promise<[number, unknown]> {
    const form = await body.formData();
    const metadata = JSON.parse(String(form.get("metadata")));
    const bindings = metadata.bindings as Binding[];
    const kept = this.#workers.get(worker) ?? new Map<string, string>();
    const given = bindings.filter(({ type }) => type === "secret_text");
    const secrets = new Map([
      ...kept,
      ...given.map(({ name, text = "" }) => [name, text] as const),
    ]);
    this.#workers.set(worker, secrets);
    this.uploads.push({ bindings, migrations: metadata.migrations });
    if (this.#options.serves) {
      await this.#serve(await (form.get(metadata.main_module) as File).text(), bindings, secrets);
    }
    return found({ id: worker, etag: "etag", startup_time_ms: 10 });
  }

  /** Over the data of the version before, as a deployment does. */
  async #serve(
    code: string,
    bindings: readonly Binding[],
    secrets: ReadonlyMap<string, string>,
  ): Promise<void> {
    await this.#running?.stop(2_000);
    this.#versions += 1;
    const folder = join(this.#folder, `version-${this.#versions}`);
    const persistTo = join(this.#folder, "data");
    await Promise.all([mkdir(folder), mkdir(persistTo, { recursive: true })]);
    await writeFile(join(folder, "worker.js"), code);
    const texts = bindings.filter(({ type }) => type === "plain_text");
    const variables = Object.fromEntries([
      ...texts.map(({ name, text = "" }) => [name, text]),
      ...secrets,
    ]);
    const program = await workerd(folder, { port: this.#port, persistTo, variables });
    this.#running = new ProcessGroup(program, folder);
    this.#running.leader.stdout?.resume();
    this.#running.leader.stderr?.resume();
    await this.#running.port();
  }
}

function found(result: unknown): [status: number, answer: unknown] {
  const info = { page: 1, per_page: 50, count: 1, total_count: 1, total_pages: 1 };
  return [200, { success: true, errors: [], messages: [], result, result_info: info }];
}

function errors(code: number, message: string): unknown {
  return { success: false, errors: [{ code, message }], messages: [], result: null };
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return { "content-type": headers["content-type"] ?? "" };
}
