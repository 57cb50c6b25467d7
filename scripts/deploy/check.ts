// The Worker itself checks the variables and secrets of a deployment: its
// bundle runs under workerd on this machine and is asked for /healthz.

import { mkdir } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { allowedHosts, jurisdiction } from "../../src/config.ts";
import { ServiceError } from "../../src/errors.ts";
import { Failure } from "../command.ts";
import { printable } from "../printable.ts";
import { ProcessGroup } from "../process-group.ts";
import type { Variables } from "../variables.ts";
import { bundle, workerd } from "../workerd.ts";
import type { Plan } from "./plan.ts";
import type { Secrets } from "./secrets.ts";

/** The Worker looks only whether it has these bindings. */
const ON_CLOUDFLARE = ["AI", "VECTORIZE"];
const STOP_GRACE_MS = 500;
const MESSAGE_LENGTH_MAX = 1_000;
/** A check of the budget or of storage takes seconds if it fails. */
const HEALTH_MS = 30_000;

/**
 * Bundles the Worker as `wrangler deploy` does. Throws a Failure with the
 * Worker's own message if it would refuse its requests.
 * @param unknown Names of further secrets that the deployment has or will have.
 * @param folder One that does not exist. It is deleted in the end.
 */
export async function checkInWorkerd(
  plan: Plan,
  secrets: Secrets,
  unknown: readonly string[],
  folder: string,
): Promise<void> {
  const persistTo = join(folder, "data");
  await mkdir(persistTo, { recursive: true });
  const host = hostOf(plan.variables);
  const elsewhere = plan.bindings.filter((name) => ON_CLOUDFLARE.includes(name));
  const values: Variables = {
    ...plan.variables,
    ...Object.fromEntries(elsewhere.map((name) => [name, "on Cloudflare"])),
    ...Object.fromEntries(unknown.map((name) => [name, `A placeholder of 32 bytes for ${name}`])),
    ...Object.fromEntries([...secrets].map(([name, { value }]) => [name, value])),
    // Plain workerd has one place only.
    JURISDICTION: "",
  };
  await bundle(folder);
  const program = await workerd(folder, { port: 0, persistTo, variables: values });
  const group = new ProcessGroup(program, folder);
  try {
    group.leader.stdout?.resume();
    group.leader.stderr?.resume();
    const port = await Promise.race([group.port(), group.death()]);
    const refusal = await refusalOf(port, host);
    if (refusal !== undefined) throw refused(refusal);
  } finally {
    await group.stop(STOP_GRACE_MS);
  }
}

/** By which it may be asked. */
function hostOf(variables: Variables): string {
  try {
    jurisdiction(variables);
    return allowedHosts(variables)[0] ?? "127.0.0.1";
  } catch (error) {
    throw error instanceof ServiceError ? refused(error.message) : error;
  }
}

async function refusalOf(port: number, host: string): Promise<string | undefined> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const signal = AbortSignal.timeout(HEALTH_MS);
    const at = { host: "127.0.0.1", port, path: "/healthz", headers: { host } };
    get({ ...at, agent: false, signal }, resolve).on("error", reject);
  });
  const body = await text(response);
  return response.statusCode === 200 ? undefined : JSON.parse(body).message;
}

function refused(message: string): Failure {
  return new Failure(
    `The Worker refuses this configuration: ${printable(message, MESSAGE_LENGTH_MAX)} Nothing was deployed.`,
  );
}
