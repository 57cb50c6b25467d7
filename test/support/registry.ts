// A registry on this machine, for `npm publish` and `npm install` of one
// package. It holds what was published, and gives it back.

import { createServer } from "node:http";
import { listen } from "./listen.ts";

/** What npm sends of a package. */
interface Published {
  readonly versions: Readonly<Record<string, { readonly dist: { tarball: string } }>>;
  readonly _attachments: Readonly<Record<string, { readonly data: string }>>;
}

export interface Registry {
  /** Flags that make npm use it. */
  readonly flags: readonly string[];
  /** Names in the order of their publishing. */
  readonly published: readonly string[];
  close(): void;
}

export async function startRegistry(): Promise<Registry> {
  const packages = new Map<string, Published>();
  const server = createServer(async (request, response) => {
    const [name = "", ...file] = (request.url ?? "/").slice(1).split("/-/").map(decodeURIComponent);
    if (request.method === "PUT") {
      let body = "";
      for await (const part of request.setEncoding("utf8")) body += part;
      packages.set(name, JSON.parse(body));
      response.writeHead(201, { "content-type": "application/json" }).end("{}");
      return;
    }
    const found = packages.get(name);
    const [tarball] = Object.values(found?._attachments ?? {});
    if (found === undefined || tarball === undefined) response.writeHead(404).end("{}");
    else if (file.length > 0) response.end(Buffer.from(tarball.data, "base64"));
    else {
      for (const { dist } of Object.values(found.versions))
        dist.tarball = `${url}/${name}/-/it.tgz`;
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(found));
    }
  });
  const url = await listen(server);
  const { host } = new URL(url);
  return {
    // `npm run --silent` would silence the errors of npm in it too.
    flags: [`--registry=${url}`, `--//${host}/:_authToken=a-token`, "--loglevel=error"],
    get published() {
      return [...packages.keys()];
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
