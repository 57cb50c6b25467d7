// The bundle of a deployment, served by plain workerd.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import { Failure, PROJECT } from "./command.ts";
import { localConfiguration, type RateLimit } from "./configuration.ts";
import { bracketed, isLoopback, LOOPBACK_ADDRESS } from "./machine.ts";
import type { Program } from "./process-group.ts";
import type { Variables } from "./variables.ts";

// In the environment, so that no variable changes workerd itself.
const PREFIX = "BELAY_VARIABLE_";

/** The bundle, and the file with the page beside it. */
const WORKER = "worker.js";
const PAGE = "page.json";

/** In the folder that `npm run build:server` makes: both, and workerd. */
const BUILT = join(PROJECT, "built");
const isBuilt = existsSync(BUILT);

/** The file with the counter of new sessions, beside it. */
const RATE = "session-rate.js";
const RATE_MODULE = "belay:session-rate";

/** @param entry Another Worker, whose file has the same name. */
export async function bundle(folder: string, stopped?: AbortSignal, entry?: string): Promise<void> {
  if (isBuilt) return copyFile(join(BUILT, WORKER), join(folder, WORKER));
  // What makes a bundle is not in that folder.
  const { WRANGLER, wranglerEnvironment } = await import("./wrangler.ts");
  const args = [
    WRANGLER,
    "deploy",
    ...(entry === undefined ? [] : [entry]),
    `--cwd=${PROJECT}`,
    "--env=",
    "--dry-run",
    `--outdir=${folder}`,
  ];
  try {
    await promisify(execFile)(process.execPath, args, {
      env: { ...wranglerEnvironment(folder), WRANGLER_LOG: "error" },
      ...(stopped !== undefined && { signal: stopped }),
    });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Failure(
      `The Worker could not be bundled.\n${stripVTControlCharacters(stderr ?? "").trim()}`,
    );
  }
}

/** What a server of this machine serves, and where. */
export interface Served {
  /** Without brackets; by default only this machine reaches it. */
  readonly host?: string;
  readonly port: number;
  readonly persistTo: string;
  readonly variables: Variables;
  /** By which names a proxy passes requests on. */
  readonly names?: readonly string[];
}

/** The program that serves a bundle. Its settings go into the folder. */
export async function workerd(folder: string, served: Served): Promise<Program> {
  const config = join(folder, "workerd.capnp");
  await writePage(join(folder, PAGE));
  await copyFile(join(import.meta.dirname, RATE), join(folder, RATE));
  await writeFile(config, await settings(served));
  return {
    file: await binary(),
    args: ["serve", config, "--control-fd=3"],
    env: { ...process.env, ...environment(served.variables) },
    channel: "pipe",
  };
}

/** Plain workerd has no static assets. */
export async function writePage(file: string): Promise<void> {
  if (isBuilt) return copyFile(join(BUILT, PAGE), file);
  const { pageAsJson } = await import("./page.ts");
  await writeFile(file, await pageAsJson());
}

export async function binary(): Promise<string> {
  if (isBuilt) return join(BUILT, "workerd");
  const { workerdBinary } = await import("./wrangler.ts");
  return workerdBinary();
}

function environment(variables: Variables): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [PREFIX + name, value]),
  );
}

/** Without the values of variables: they may be secret. */
async function settings(served: Served): Promise<string> {
  const { host = LOOPBACK_ADDRESS, port, persistTo, variables } = served;
  const names = Object.keys(variables);
  // This machine need not be protected from itself.
  const isPublic = !isLoopback(host) || served.names?.length;
  const { name, main, compatibility_date, compatibility_flags, durable_objects, ratelimits } =
    await localConfiguration();
  const entry = text(`${basename(main, ".ts")}.js`);
  const namespaces = durable_objects.bindings.map(
    ({ class_name }) =>
      `(className = ${text(class_name)}, uniqueKey = ${text(`${name}-${class_name}`)}, enableSql = true)`,
  );
  const bindings = [
    ...durable_objects.bindings.map(
      (binding) =>
        `(name = ${text(binding.name)}, durableObjectNamespace = ${text(binding.class_name)})`,
    ),
    `(name = "PAGE", json = embed ${text(PAGE)})`,
    ...(isPublic ? ratelimits.map(rateBinding) : []),
    ...names.map((name) => `(name = ${text(name)}, fromEnvironment = ${text(PREFIX + name)})`),
  ];
  // Private addresses too: a model may run on this machine.
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "objects", disk = (path = ${text(persistTo)}, writable = true)),
    (name = "internet", network = (
      allow = ["public", "private"],
      tlsOptions = (trustBrowserCas = true)
    )),
  ],
  sockets = [(name = "http", address = ${text(`${bracketed(host)}:${port}`)}, http = (), service = "worker")],
  extensions = [(modules = [
    (name = ${text(RATE_MODULE)}, internal = true, esModule = embed ${text(RATE)}),
  ])],
);

const worker :Workerd.Worker = (
  modules = [(name = ${entry}, esModule = embed ${entry})],
  compatibilityDate = ${text(compatibility_date)},
  compatibilityFlags = [${compatibility_flags.map(text).join(", ")}],
  durableObjectNamespaces = [${namespaces.join(", ")}],
  durableObjectStorage = (localDisk = "objects"),
  bindings = [
    ${bindings.join(",\n    ")},
  ],
);
`;
}

function rateBinding({ name, simple: { limit, period } }: RateLimit): string {
  const inner = Object.entries({ limit, period }).map(
    ([name, value]) => `(name = ${text(name)}, json = ${text(JSON.stringify(value))})`,
  );
  return `(name = ${text(name)}, wrapped = (moduleName = ${text(RATE_MODULE)}, innerBindings = [${inner.join(", ")}]))`;
}

/** Cap'n Proto quotes names and paths as JSON does. */
function text(value: string): string {
  return JSON.stringify(value);
}
