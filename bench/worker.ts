// A contender's Worker under plain workerd, with the settings that
// Belay's own has.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { PROJECT } from "../scripts/command.ts";
import { configuration } from "../scripts/configuration.ts";
import type { Program } from "../scripts/process-group.ts";
import { workerdBinary } from "../scripts/wrangler.ts";

const WORKERS = join(PROJECT, "bench/workers");

/** @param objects The name of its class of Durable Objects, if it has one. */
export async function contenderWorker(
  folder: string,
  options: { readonly entry: string; readonly modelUrl: string; readonly objects?: string },
): Promise<Program> {
  const { entry, modelUrl, objects } = options;
  const config = join(folder, "workerd.capnp");
  const data = join(folder, "data");
  await Promise.all([
    mkdir(data),
    build({
      entryPoints: [join(WORKERS, entry)],
      outfile: join(folder, "worker.js"),
      bundle: true,
      format: "esm",
      target: "es2024",
      conditions: ["workerd", "worker", "browser"],
      external: ["cloudflare:*", "node:*"],
    }),
    settings(modelUrl, data, objects).then((text) => writeFile(config, text)),
  ]);
  return {
    file: workerdBinary(),
    args: ["serve", config, "--control-fd=3"],
    env: process.env,
    channel: "pipe",
  };
}

async function settings(
  modelUrl: string,
  data: string,
  objects: string | undefined,
): Promise<string> {
  const { compatibility_date } = await configuration();
  const binding = `(name = "OBJECTS", durableObjectNamespace = "${objects}"),`;
  const namespaces = `
  durableObjectNamespaces = [(className = "${objects}", uniqueKey = "bench", enableSql = true)],
  durableObjectStorage = (localDisk = "objects"),`;
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "objects", disk = (path = ${JSON.stringify(data)}, writable = true)),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);

const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "${compatibility_date}",${objects === undefined ? "" : namespaces}
  bindings = [
    ${objects === undefined ? "" : binding}
    (name = "MODEL", text = "${modelUrl}/v1/chat/completions"),
  ],
);
`;
}
