// The floor, in Durable Objects:
//
//   do-pass    passes the model's bytes through
//   do-write   the same between two transactions of SQLite, as anything
//              does that reserves first and charges at the end
//   do-naive   translates each token into an event of its own

import { DurableObject } from "cloudflare:workers";

interface Env {
  readonly MODEL: string;
  readonly OBJECTS: DurableObjectNamespace<Relay>;
}

const HEADERS = { "content-type": "text/event-stream", "cache-control": "no-cache" };

export class Relay extends DurableObject<Env> {
  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const body = await request.text();
    const number = pathname === "/do-write" ? this.#reserve() : 0;
    const answer = await fetch(this.env.MODEL, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    if (!answer.body) return new Response("The model sent nothing.", { status: 502 });
    switch (pathname) {
      case "/do-naive":
        return new Response(this.#translated(answer.body), { headers: HEADERS });
      case "/do-write":
        return new Response(this.#charged(answer.body, number), { headers: HEADERS });
      default:
        return new Response(answer.body, { headers: HEADERS });
    }
  }

  #reserve(): number {
    const { sql } = this.ctx.storage;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS asks (number INTEGER PRIMARY KEY, state TEXT NOT NULL) STRICT",
    );
    const [row] = sql
      .exec<{ number: number }>("INSERT INTO asks (state) VALUES ('reserved') RETURNING number")
      .toArray();
    return row?.number ?? 0;
  }

  #charged(body: ReadableStream<Uint8Array>, number: number): ReadableStream<Uint8Array> {
    const { readable, writable } = new IdentityTransformStream();
    const charge = async () => {
      await body.pipeTo(writable);
      this.ctx.storage.sql.exec("UPDATE asks SET state = 'charged' WHERE number = ?", number);
    };
    this.ctx.waitUntil(charge());
    return readable;
  }

  #translated(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const { readable, writable } = new TransformStream<Uint8Array>();
    const writer = writable.getWriter();
    const encoder = new TextEncoder();
    const translate = async () => {
      for await (const some of frames(body)) {
        for (const frame of some) {
          const data = frame.slice("data: ".length);
          if (data === "[DONE]") continue;
          const token = JSON.parse(data).choices[0]?.delta?.content ?? "";
          if (!token) continue;
          const event = `data: ${JSON.stringify({ type: "token", token })}\n\n`;
          await writer.write(encoder.encode(event));
        }
      }
      await writer.write(encoder.encode(`data: {"type":"done"}\n\n`));
      await writer.close();
    };
    this.ctx.waitUntil(translate());
    return readable;
  }
}

/** The whole ones of each chunk. */
async function* frames(body: ReadableStream<Uint8Array>): AsyncGenerator<string[]> {
  let buffer = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    buffer += text;
    const some = buffer.split("\n\n");
    buffer = some.pop() ?? "";
    yield some;
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const user = new URL(request.url).searchParams.get("user") ?? "";
    return env.OBJECTS.getByName(user).fetch(request);
  },
} satisfies ExportedHandler<Env>;
