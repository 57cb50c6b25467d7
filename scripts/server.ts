// A server on this machine: what `npm start` and `npm run serve` share.

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import type { Examples } from "../src/protocol.ts";
import { bearerToken } from "./bearer-token.ts";
import { Failure, PROJECT, run, systemReason } from "./command.ts";
import { type HeldFolder, holdFolder } from "./data-folder.ts";
import { Documents } from "./documents.ts";
import { printable } from "./printable.ts";
import { ProcessGroup, type Program } from "./process-group.ts";
import { loadSamples } from "./samples.ts";
import { type ServerFlags, serverFlags } from "./server-flags.ts";
import { serverOf } from "./target.ts";
import { tryIt } from "./try-it.ts";
import { makeAuthSecret, refuseBindings, unread, type Variables, variables } from "./variables.ts";

export interface ServerCommand {
  /** The first line of its help. */
  readonly about: string;
  /** The default folder of its data. */
  readonly persistTo: string;
  /** The program that serves. The folder is for its private files. */
  program(flags: ServerFlags, folder: string, stopped: AbortSignal): Promise<Program>;
  /** Whether a line of its output is not about the Worker. */
  isChatter(line: string): boolean;
}

const START_TIMEOUT_MS = 60_000;
const HEALTH_POLL_MS = 100;
const PARENT_POLL_MS = 250;
// Answers may end within it. Those that are cut off are refunded.
const STOP_GRACE_MS = 5_000;
const DAY_SECONDS = 86_400;

const NOTHING_SIGNED = `AUTH_JWKS_URL is set, so only its identity provider can sign bearer tokens: no samples
were loaded, and there are no commands to try.`;

export function runServer(command: ServerCommand): Promise<never> {
  return run(async () => {
    const stop = stopSignal();
    try {
      await serve(command, withOneKey(serverFlags(command.about, command.persistTo)), stop);
    } catch (error) {
      if (!stop.aborted) throw error;
    }
  });
}

async function serve(command: ServerCommand, flags: ServerFlags, stop: AbortSignal): Promise<void> {
  await checkPort(flags.port);
  await refuseBindings();
  await makeAuthSecret(flags.variables);
  const isOurs = flags.persistTo === resolve(PROJECT, command.persistTo);
  const held = await holdFolder(flags.persistTo, isOurs);
  const folder = await temporaryFolder();
  try {
    const program = await command.program(flags, folder, stop);
    stop.throwIfAborted();
    const group = new ProcessGroup(program, folder);
    try {
      log(group.leader.stdout, command.isChatter);
      log(group.leader.stderr, command.isChatter);
      const over = Promise.race([aborted(stop), group.death()]);
      await Promise.race([announce(group, flags, held), over, late()]);
      await over;
    } finally {
      await group.stop(STOP_GRACE_MS);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "belay-")).catch((error) => {
    throw new Failure(`No folder can be made in ${tmpdir()}: ${systemReason(error)}.`);
  });
}

/** Prints that the server is ready, when an ask would work. */
async function announce(group: ProcessGroup, flags: ServerFlags, held: HeldFolder): Promise<void> {
  const [port, all] = await Promise.all([group.port(), variables(flags.variables)]);
  for (const sentence of unread(all)) console.error(sentence);
  // Wrangler takes another port if this one is taken by now.
  if (flags.port !== 0 && flags.port !== port) throw taken(flags.port);
  const url = `http://127.0.0.1:${port}`;
  await healthy(url);
  await held.announce(url);
  const introduction = all.AUTH_SECRET
    ? await introduce(url, all, flags.persistTo)
    : NOTHING_SIGNED;
  console.log(`Belay is ready on ${url}\n\n${introduction}`);
}

/** Loads the samples into a fresh server. Returns what to try. */
async function introduce(url: string, all: Variables, dataFolder: string): Promise<string> {
  const operator = await bearerToken(all, { user: "operator", operator: true, seconds: 60 });
  const holdings = await loadSamples(new Documents(url, operator), dataFolder);
  const token = await bearerToken(all, { user: "you", seconds: DAY_SECONDS });
  const isDefault = (await serverOf(undefined)) === url;
  return tryIt({ url, isDefault, token }, holdings, await exampleQuestions(url, token));
}

async function exampleQuestions(url: string, token: string): Promise<readonly string[]> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/api/v1/ai/examples`, { headers });
  return ((await response.json()) as Examples).questions;
}

/** AUTH_JWKS_URL as a flag turns the secret of .dev.vars off. */
function withOneKey(flags: ServerFlags): ServerFlags {
  const { AUTH_JWKS_URL, AUTH_SECRET = "" } = flags.variables;
  return AUTH_JWKS_URL ? { ...flags, variables: { ...flags.variables, AUTH_SECRET } } : flags;
}

async function healthy(url: string): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/healthz`).catch(() => undefined);
    if (response?.ok) return;
    if (response !== undefined) {
      const body = await response.text();
      throw new Failure(errorMessage(body) ?? `/healthz answers ${response.status}: ${body}`);
    }
    await delay(HEALTH_POLL_MS);
  }
}

function errorMessage(body: string): string | undefined {
  try {
    return JSON.parse(body).message;
  } catch {
    // Not a refusal of the Worker, which is JSON.
    return undefined;
  }
}

function log(output: Readable | null, isChatter: ServerCommand["isChatter"]): void {
  if (output === null) return;
  createInterface({ input: output }).on("line", (coloured) => {
    const line = stripVTControlCharacters(coloured);
    if (!isChatter(line)) console.error(printable(line));
  });
}

async function checkPort(port: number): Promise<void> {
  const probe = createServer();
  const bound = once(probe, "listening");
  probe.listen(port, "127.0.0.1");
  await bound.catch((error) => {
    if (error.code === "EADDRINUSE") throw taken(port);
    throw new Failure(`Port ${port} cannot be used: ${systemReason(error)}.`);
  });
  probe.close();
  await once(probe, "close");
}

function taken(port: number): Failure {
  return new Failure(`Port ${port} is taken: choose another with --port.`);
}

/**
 * Aborts on the first signal. Ctrl-C comes twice: the terminal sends it to npm
 * and to us, and npm passes it on.
 */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => stop.abort());
  }
  // Some shells between npm and us do not pass signals on.
  if (process.env.npm_lifecycle_event !== undefined) {
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && stop.abort(), PARENT_POLL_MS).unref();
  }
  return stop.signal;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

async function late(): Promise<never> {
  await delay(START_TIMEOUT_MS, undefined, { ref: false });
  throw new Failure(`The server was not ready after ${START_TIMEOUT_MS / 1000} seconds.`);
}
