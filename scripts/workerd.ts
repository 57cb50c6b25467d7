// The bundle of a deployment, served by plain workerd.

import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import { Failure, PROJECT } from "./command.ts";
import { pageAsJson } from "./page.ts";
import type { Program } from "./process-group.ts";
import { configuration, type Variables } from "./variables.ts";
import { WRANGLER, workerdBinary, wranglerEnvironment } from "./wrangler.ts";

// In the environment, so that no variable changes workerd itself.
const PREFIX = "BELAY_VARIABLE_";

/** The file with the page, beside the bundle. */
const PAGE = "page.json";

/** @param entry Another Worker, whose file has the same name. */
export async function bundle(folder: string, stopped?: AbortSignal, entry?: string): Promise<void> {
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

/** The program that serves a bundle. Its settings go into the folder. */
export async function workerd(
  folder: string,
  options: { readonly port: number; readonly persistTo: string; readonly variables: Variables },
): Promise<Program> {
  const { port, persistTo, variables } = options;
  const config = join(folder, "workerd.capnp");
  // Plain workerd has no static assets.
  await writeFile(join(folder, PAGE), await pageAsJson());
  await writeFile(config, await settings(port, persistTo, Object.keys(variables)));
  return {
    file: workerdBinary(),
    args: ["serve", config, "--control-fd=3"],
    env: { ...process.env, ...environment(variables) },
    channel: "pipe",
  };
}

function environment(variables: Variables): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [PREFIX + name, value]),
  );
}

/** Without the values of variables: they may be secret. */
async function settings(port: number, persistTo: string, names: string[]): Promise<string> {
  const { name, main, compatibility_date, compatibility_flags, durable_objects } =
    await configuration();
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
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "worker")],
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

/** Cap'n Proto quotes names and paths as JSON does. */
function text(value: string): string {
  return JSON.stringify(value);
}
