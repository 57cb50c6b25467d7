// The real Worker with a meter, never deployed: it counts what Cloudflare
// bills. In workerd, the Worker and all objects share these counters.
//
//   GET /meter   what was counted since the last call
//   GET /awake   for how many ms the timers that are set keep objects awake

import { handle } from "../../src/edge/edge.ts";
import {
  CorpusObject as BaseCorpusObject,
  DirectoryObject as BaseDirectoryObject,
  UserObject as BaseUserObject,
  type Env,
} from "../../src/wiring.ts";
import type { Meter } from "./meter.ts";

// Its other objects.
export * from "../../src/worker.ts";

type Cursor = SqlStorageCursor<Record<string, SqlStorageValue>>;

/** Of a request with this header, only the Worker's part is done. */
const EDGE_ONLY = "x-cost-edge-only";

const counted = {
  ...{ workerRequests: 0, userRequests: 0, corpusCalls: 0, directoryCalls: 0 },
  ...{ alarmsSet: 0, alarmsRung: 0 },
};
const userCursors: Cursor[] = [];
const corpusCursors: Cursor[] = [];
const directoryCursors: Cursor[] = [];
let corpusBytes = 0;
const timers = new Map<unknown, number>();

const { setTimeout: start, clearTimeout: stop } = globalThis;
globalThis.setTimeout = ((callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
  const run = () => {
    timers.delete(timer);
    callback(...args);
  };
  const timer = start(run, ms);
  timers.set(timer, Date.now() + ms);
  return timer;
}) as typeof setTimeout;
globalThis.clearTimeout = (timer) => {
  timers.delete(timer);
  stop(timer);
};

export class UserObject extends BaseUserObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, { ...env, CORPUS: withCountedCalls(env.CORPUS) });
    watch(ctx.storage, userCursors);
  }

  override async fetch(request: Request): Promise<Response> {
    if (request.headers.has(EDGE_ONLY)) return new Response(null, { status: 204 });
    counted.userRequests += 1;
    return super.fetch(request);
  }

  override async alarm(): Promise<void> {
    counted.alarmsRung += 1;
    return super.alarm();
  }
}

export class CorpusObject extends BaseCorpusObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    watch(ctx.storage, corpusCursors);
  }

  override async fetch(request: Request): Promise<Response> {
    const response = await super.fetch(request);
    corpusBytes = this.ctx.storage.sql.databaseSize;
    return response;
  }
}

export class DirectoryObject extends BaseDirectoryObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    watch(ctx.storage, directoryCursors);
  }

  override async report(...report: Parameters<BaseDirectoryObject["report"]>) {
    counted.directoryCalls += 1;
    return super.report(...report);
  }

  override async positionOf(user: string) {
    counted.directoryCalls += 1;
    return super.positionOf(user);
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/meter") return Response.json(read());
    if (pathname === "/awake") return Response.json(awakeMs());
    counted.workerRequests += 1;
    return handle(request, env);
  },
} satisfies ExportedHandler<Env>;

function watch(storage: DurableObjectStorage, cursors: Cursor[]): void {
  const exec = storage.sql.exec.bind(storage.sql);
  storage.sql.exec = (query: string, ...bindings: unknown[]) => {
    const cursor = exec<never>(query, ...bindings);
    cursors.push(cursor);
    return cursor;
  };
  const setAlarm = storage.setAlarm.bind(storage);
  storage.setAlarm = (time, options) => {
    counted.alarmsSet += 1;
    return setAlarm(time, options);
  };
}

/** Each call of a method of a stub is billed as a request to its object. */
function withCountedCalls(namespace: Env["CORPUS"]): Env["CORPUS"] {
  return new Proxy(namespace, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const result: object = Reflect.apply(member, target, args);
        return name === "getByName" || name === "get" ? withCountedMethods(result) : result;
      };
    },
  });
}

function withCountedMethods<T extends object>(stub: T): T {
  return new Proxy(stub, {
    get(target, name) {
      return (...args: unknown[]) => {
        counted.corpusCalls += 1;
        return (target as Record<string | symbol, (...args: unknown[]) => unknown>)[name]?.(
          ...args,
        );
      };
    },
  });
}

function read(): Meter {
  const all = [...userCursors, ...corpusCursors, ...directoryCursors];
  const meter = {
    ...counted,
    rowsRead: sum(all, "rowsRead"),
    rowsWritten: sum(all, "rowsWritten"),
    corpusBytes,
  };
  for (const name of Object.keys(counted)) counted[name as keyof typeof counted] = 0;
  userCursors.length = 0;
  corpusCursors.length = 0;
  directoryCursors.length = 0;
  return meter;
}

function awakeMs(): number {
  return Math.max(0, ...Array.from(timers.values(), (at) => at - Date.now()));
}

/** A cursor counts while it is read, so its count is taken last. */
function sum(cursors: readonly Cursor[], count: "rowsRead" | "rowsWritten"): number {
  return cursors.reduce((total, cursor) => total + cursor[count], 0);
}
