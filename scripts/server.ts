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
import { type Flag, retyped, type ServerScript } from "./command-line.ts";
import { type HeldFolder, holdFolder, servedHere } from "./data-folder.ts";
import { Documents } from "./documents.ts";
import {
  addressesFor,
  isLoopback,
  LOOPBACK_ADDRESS,
  ofThisMachine,
  ownAddress,
  urlAt,
} from "./machine.ts";
import { fewFiles, filesMax } from "./open-files.ts";
import { printable } from "./printable.ts";
import { ProcessGroup, type Program } from "./process-group.ts";
import { loadSamples } from "./samples.ts";
import { type ServerFlags, serverFlags } from "./server-flags.ts";
import { serverOf } from "./target.ts";
import { type Corpus, type Reached, tryIt } from "./try-it.ts";
import {
  checkSecret,
  makeAuthSecret,
  refuseBindings,
  unread,
  type Variables,
  variables,
} from "./variables.ts";
import { writerOf } from "./writer.ts";

export interface ServerCommand {
  readonly script: ServerScript;
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
const PORT_MAX = 65_535;
/** The ports after a taken one that are tried. */
const PORTS_TRIED = 20;
/** What other commands sign tokens with: these variables of .dev.vars. */
const SIGNING = ["AUTH_SECRET", "AUTH_ISSUER", "AUTH_AUDIENCE"] as const;

export function runServer(command: ServerCommand): Promise<never> {
  return run(async () => {
    const stop = stopSignal();
    try {
      const flags = serverFlags(command.script, command.about, command.persistTo);
      await serve(command, withOneKey(flags), stop);
    } catch (error) {
      if (!stop.aborted) throw error;
    }
  });
}

async function serve(command: ServerCommand, flags: ServerFlags, stop: AbortSignal): Promise<void> {
  await checkPort(command.script, flags);
  await refuseBindings();
  if (!isLoopback(flags.host)) await checkSecret(flags.variables);
  await makeAuthSecret(flags.variables);
  const few = fewFiles(filesMax());
  if (few !== undefined) console.error(few);
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
      await Promise.race([announce(command, group, flags, held), over, late()]);
      await over;
    } finally {
      await group.stop(STOP_GRACE_MS);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
    await held.release();
  }
}

async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "belay-")).catch((error) => {
    throw new Failure(`No folder can be made in ${tmpdir()}: ${systemReason(error)}.`);
  });
}

/** Prints that the server is ready, when an ask would work. */
async function announce(
  { script }: ServerCommand,
  group: ProcessGroup,
  flags: ServerFlags,
  held: HeldFolder,
): Promise<void> {
  const [port, all] = await Promise.all([group.port(), variables(flags.variables)]);
  for (const sentence of unread(all)) console.error(sentence);
  // Wrangler takes another port if this one is taken by now.
  if (flags.port !== 0 && flags.port !== port) throw await taken(script, flags);
  const url = urlAt(ownAddress(flags.host), port);
  await healthy(url);
  await held.announce(url);
  const [writer, corpus] = await Promise.all([
    writerOf(all, port),
    all.AUTH_SECRET ? loaded(url, all, flags.persistTo) : undefined,
  ]);
  const isStyled = process.stdout.isTTY && process.stdout.hasColors();
  const { typed } = flags;
  const reached = reachedAt(flags, port, all);
  process.stdout.write(tryIt({ url, script, typed, reached, writer, corpus, isStyled }));
}

/** Undefined if only this machine reaches the server. */
function reachedAt(
  { host, names }: ServerFlags,
  port: number,
  all: Variables,
): Reached | undefined {
  const urls = isLoopback(host) ? [] : addressesFor(host).map((address) => urlAt(address, port));
  if (urls.length === 0 && names.length === 0) return undefined;
  return { urls, names, isProxyTrusted: Boolean(all.TRUSTED_PROXIES) };
}

/** Loads the samples into a fresh server. */
async function loaded(url: string, all: Variables, dataFolder: string): Promise<Corpus> {
  const operator = await bearerToken(all, { user: "operator", operator: true, seconds: 60 });
  const holdings = await loadSamples(new Documents(url, operator), dataFolder);
  const token = await bearerToken(all, { user: "you", seconds: DAY_SECONDS });
  const isDefault = (await serverOf(undefined)) === url;
  const signedByAll = await variables();
  const isSignedByAll = SIGNING.every((name) => all[name] === signedByAll[name]);
  const questions = await exampleQuestions(url, token);
  return { holdings, questions, isDefault, token: isSignedByAll ? undefined : token };
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

async function checkPort(script: ServerScript, flags: ServerFlags): Promise<void> {
  const { host, port } = flags;
  const error = await refusalOf(host, port);
  if (error === undefined) return;
  if (error.code === "EADDRINUSE") throw await taken(script, flags);
  if (error.code === "EADDRNOTAVAIL") {
    const all = [LOOPBACK_ADDRESS, ...ofThisMachine()];
    throw new Failure(
      `${host} is not an address of this machine, which has ${all.join(", ")}. 0.0.0.0 listens on all IPv4 addresses.`,
    );
  }
  const below =
    error.code === "EACCES" ? " Choose one above 1023, and let a reverse proxy have that one." : "";
  throw new Failure(`Port ${port} cannot be used: ${systemReason(error)}.${below}`);
}

/** Why nothing can listen at this port. */
async function refusalOf(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  const probe = createServer();
  const bound = once(probe, "listening");
  probe.listen(port, host);
  try {
    await bound;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  probe.close();
  await once(probe, "close");
  return undefined;
}

/** Names the whole command to type instead. */
async function taken(script: ServerScript, { host, port, typed }: ServerFlags): Promise<Failure> {
  const url = urlAt(ownAddress(host), port);
  if ((await servedHere()).includes(url)) {
    return new Failure(
      `Belay is running on ${url} already. To start it again, end that one first: Ctrl-C in its terminal.`,
    );
  }
  const flag: Flag = ["--port", `${await freePort(host, port + 1)}`];
  const lines = retyped(script, typed, [flag]);
  return new Failure(
    lines === undefined
      ? `Port ${port} is taken. Add ${flag.join(" ")} to your command.`
      : `Port ${port} is taken. Use another:\n\n${lines.join("\n")}`,
  );
}

/** The next free port. 0 lets the system choose. */
async function freePort(host: string, from: number): Promise<number> {
  for (let port = from; port < from + PORTS_TRIED && port <= PORT_MAX; port += 1) {
    if ((await refusalOf(host, port)) === undefined) return port;
  }
  return 0;
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
