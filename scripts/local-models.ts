// Chat models that a program on this machine offers over OpenAI's API.

import { get, type IncomingMessage } from "node:http";
import * as v from "valibot";
import { printable } from "./printable.ts";

/** A port, and the programs that use it by default. */
export interface UsualPort {
  readonly port: number;
  readonly programs: string;
}

/** What listens at a port. */
export interface LocalServer extends UsualPort {
  /** Ids of its chat models, at least one. */
  readonly models: readonly string[];
}

export const USUAL_PORTS: readonly UsualPort[] = [
  { port: 11_434, programs: "Ollama" },
  { port: 1_234, programs: "LM Studio" },
  { port: 8_080, programs: "llama.cpp or LocalAI" },
  { port: 8_000, programs: "vLLM" },
  { port: 1_337, programs: "Jan" },
  { port: 4_891, programs: "GPT4All" },
  { port: 5_001, programs: "KoboldCpp" },
  { port: 5_000, programs: "text-generation-webui" },
];

/** The server is ready, and waits for this. */
const TIMEOUT_MS = 300;
const BYTES_MAX = 256 * 1024;
const NAME_LENGTH_MAX = 200;

/** Models for other tasks than writing. */
const NO_CHAT =
  /embed|rerank|reward|whisper|\bbge\b|\bgte\b|\be5\b|minilm|\btts\b|speech|kokoro|bark\b|\bclip\b|diffusion|\bsdxl?\b|\bflux\b|moderation|\bguard\b/i;

const List = v.object({ object: v.literal("list"), data: v.array(v.object({ id: v.string() })) });

/** The servers that answer in time, in the order of the ports. */
export async function localServers(
  ports: readonly UsualPort[],
  ownPort: number,
): Promise<readonly LocalServer[]> {
  const others = ports.filter(({ port }) => port !== ownPort);
  const servers = others.map(async (usual) => ({ ...usual, models: await chatModels(usual.port) }));
  return (await Promise.all(servers)).filter(({ models }) => models.length > 0);
}

/** Any other answer than a list of models counts as none. */
async function chatModels(port: number): Promise<readonly string[]> {
  try {
    const list = v.parse(List, JSON.parse(await listOf(port)));
    return list.data.map(({ id }) => id).filter((id) => isPlain(id) && !NO_CHAT.test(id));
  } catch {
    return [];
  }
}

/** The name goes into a command that the user copies. */
function isPlain(id: string): boolean {
  return id !== "" && id.length <= NAME_LENGTH_MAX && id === id.trim() && id === printable(id);
}

/** Neither follows a redirect nor uses a proxy of the environment. */
async function listOf(port: number): Promise<string> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { accept: "application/json" };
    const request = { host: "127.0.0.1", port, path: "/v1/models", headers, agent: false, signal };
    get(request, resolve).on("error", reject);
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early closes the connection.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (response.statusCode !== 200 || bytes > BYTES_MAX) throw new Error("no list of models");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
