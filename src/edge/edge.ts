// The edge: every route of the API in one list, and for each who may call it and which object
// answers. It reads no body. Its only state is when a write last failed.

import { type IRequest, Router } from "itty-router";
import {
  authenticationConfig,
  checkConfig,
  corpusStub,
  corsOrigins,
  type Env,
  sessionConfig,
  storageProbe,
  userStub,
} from "../config.ts";
import { errorResponse, ServiceError, toServiceError } from "../errors.ts";
import { API_PREFIX } from "../protocol.ts";
import { decodeParameter } from "../request.ts";
import { isWithin } from "../user/outage.ts";
import { IDENTITY_HEADER, ROUND_TRIP_HEADER, USER_HEADER } from "../user/user-object.ts";
import { authenticate, type Caller, isUserId } from "./authentication.ts";
import { preflight, withCors } from "./cors.ts";
import { readerOf, startSession } from "./session.ts";

/** How long a successful write counts, in ms: the route is public, and writes are billed. */
const HEALTH_AGE_MAX_MS = 10_000;
/** How long a failed write counts, in ms. Kept here: the object that tried it is reset. */
const FAILED_AGE_MAX_MS = 1_000;
let writeFailedAt = Number.NEGATIVE_INFINITY;

const router = Router<IRequest, [Env]>();

router.get("/healthz", health);

// Readers without a bearer token, where there may be any.
router.post(`${API_PREFIX}/session`, session);

// What can be asked.
router.get(`${API_PREFIX}/ai/examples`, examples);

// A user's own object.
router.post(`${API_PREFIX}/ai/ask`, toOwnObject);
router.get(`${API_PREFIX}/ai/quota`, toOwnObject);
router.get(`${API_PREFIX}/ai/queries`, toOwnObject);
router.get(`${API_PREFIX}/ai/queries/:id`, toOwnObject);
router.get(`${API_PREFIX}/ai/queries/:id/events`, toOwnObject);
router.post(`${API_PREFIX}/ai/queries/:id/cancel`, toOwnObject);
router.post(`${API_PREFIX}/ai/feedback`, toOwnObject);

// Operators: any user's object, and the documents.
router.get(`${API_PREFIX}/admin/users/:userId`, toUserObject);
router.patch(`${API_PREFIX}/admin/users/:userId`, toUserObject);
router.delete(`${API_PREFIX}/admin/users/:userId`, toUserObject);
router.post(`${API_PREFIX}/admin/users/:userId/queries/:id/refund`, toUserObject);
router.get(`${API_PREFIX}/admin/documents`, toCorpus);
router.get(`${API_PREFIX}/admin/documents/:id`, toCorpus);
router.put(`${API_PREFIX}/admin/documents/:id`, toCorpus);
router.delete(`${API_PREFIX}/admin/documents/:id`, toCorpus);

/** Every route there is, as its method and its path with named parameters. */
export const routes: readonly (readonly [method: string, path: string])[] = router.routes.map(
  ([method, , , path = ""]) => [method, path],
);

/** Answers a request; nothing that it throws reaches a caller but as an error of the wire. */
export async function handle(request: Request, env: Env): Promise<Response> {
  try {
    // First: a variable that is wrong must refuse before anything is reserved.
    const origins = corsOrigins(env);
    const response =
      request.method === "OPTIONS" ? preflight() : await route(request, env).catch(refuse(request));
    return withCors(request, response, origins);
  } catch (thrown) {
    return refuse(request)(thrown);
  }
}

async function route(request: Request, env: Env): Promise<Response> {
  const { pathname } = new URL(request.url);
  const methods = router.routes.filter(([, path]) => path.test(pathname)).map(([method]) => method);
  if (methods.length === 0) {
    const { method } = request;
    const file = method === "GET" || method === "HEAD" ? env.PAGE?.[pathname] : undefined;
    if (file !== undefined) {
      return new Response(method === "GET" ? file.text : null, { headers: file.headers });
    }
    throw new ServiceError("NOT_FOUND", "There is nothing at this address.");
  }
  if (!methods.includes(request.method)) {
    const allow = methods.join(", ");
    throw new ServiceError("METHOD_NOT_ALLOWED", `Only ${allow} can be used here.`, {
      headers: { allow },
    });
  }
  return router.fetch(request, env);
}

function refuse(request: Request): (thrown: unknown) => Response {
  const streaming = new URL(request.url).searchParams.get("stream") === "true";
  return (thrown) => errorResponse(toServiceError(thrown), streaming);
}

async function health(_request: IRequest, env: Env): Promise<Response> {
  checkConfig(env);
  try {
    if (isWithin(writeFailedAt, FAILED_AGE_MAX_MS)) throw new Error("A write has just failed.");
    await storageProbe(env).tryWrite(HEALTH_AGE_MAX_MS);
  } catch (cause) {
    if (!isWithin(writeFailedAt, FAILED_AGE_MAX_MS)) writeFailedAt = Date.now();
    throw new ServiceError(
      "UNAVAILABLE",
      "Storage takes no writes, so every ask is refused. Look at the disk and at the log.",
      { headers: { "retry-after": "10" }, cause },
    );
  }
  return new Response("ok\n", { headers: { "cache-control": "no-store" } });
}

async function session(request: IRequest, env: Env): Promise<Response> {
  const config = sessionConfig(env);
  if (config === undefined) {
    throw new ServiceError("NOT_FOUND", "Only who has a bearer token is let in here: send yours.");
  }
  return startSession(request, config);
}

async function examples(request: IRequest, env: Env): Promise<Response> {
  await caller(request, env);
  return forward(corpusStub(env), request);
}

async function toOwnObject(request: IRequest, env: Env): Promise<Response> {
  const { userId, identity } = await caller(request, env);
  return forward(userStub(env, userId), request, userId, identity);
}

/** Who asks: by a bearer token or, where that is allowed, by the cookie of a session. */
async function caller(request: Request, env: Env): Promise<Caller> {
  const config = request.headers.has("authorization") ? undefined : sessionConfig(env);
  const reader = config === undefined ? undefined : await readerOf(request, config);
  return reader ?? authenticate(request, authenticationConfig(env));
}

async function toUserObject(request: IRequest, env: Env): Promise<Response> {
  await authenticateOperator(request, env);
  const userId = decodeParameter(request.params.userId ?? "");
  if (!isUserId(userId)) {
    throw new ServiceError("NOT_FOUND", "No user can have this name.");
  }
  return forward(userStub(env, userId), request, userId);
}

async function toCorpus(request: IRequest, env: Env): Promise<Response> {
  await authenticateOperator(request, env);
  return forward(corpusStub(env), request);
}

async function authenticateOperator(request: Request, env: Env): Promise<void> {
  const { operator } = await authenticate(request, authenticationConfig(env));
  if (!operator) {
    throw new ServiceError("FORBIDDEN", "Only a bearer token with the scope operator may do this.");
  }
}

/** A minimal request of our own to an object: no cookie and no bearer token goes further than here. */
async function forward(
  stub: { fetch(request: Request): Promise<Response> },
  request: Request,
  userId?: string,
  identity?: string,
): Promise<Response> {
  const headers = new Headers();
  for (const name of ["content-type", "idempotency-key", "accept", "last-event-id"]) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  if (userId !== undefined) headers.set(USER_HEADER, encodeURIComponent(userId));
  if (identity !== undefined) headers.set(IDENTITY_HEADER, identity);
  const roundTripMs = (request.cf as IncomingRequestCfProperties | undefined)?.clientTcpRtt;
  // wrangler dev says 0, which stands for nothing measured.
  if (roundTripMs) headers.set(ROUND_TRIP_HEADER, String(roundTripMs));
  const { pathname, search } = new URL(request.url);
  const { method } = request;
  // A GET has no body, though some clients send one.
  const body = method === "GET" ? null : request.body;
  const forwarded = new Request(`https://object${pathname}${search}`, { method, headers, body });
  try {
    return await stub.fetch(forwarded);
  } catch (thrown) {
    // The object was deployed over, reset or overloaded; whatever it had reserved is refunded.
    console.error("An object could not answer:", thrown);
    throw new ServiceError("UNAVAILABLE", "The service could not answer just now. Try again.", {
      headers: { "retry-after": "1" },
      cause: thrown,
    });
  }
}
