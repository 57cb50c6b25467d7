// The edge: every route of the API in one list, and for each who may call it and which object
// answers. It reads no body.

import { type IRequest, Router } from "itty-router";
import { allowedHosts, authenticationConfig } from "../config.ts";
import { ServiceError, toServiceError } from "../errors.ts";
import { errorFormat } from "../formats/choice.ts";
import { errorResponse } from "../formats/format.ts";
import { API_PREFIX } from "../protocol.ts";
import { decodeParameter, refuseCompressed, withoutRepeats } from "../request.ts";
import { IDENTITY_HEADER, ROUND_TRIP_HEADER, USER_HEADER } from "../user/user-object.ts";
import { corpusStub, type Env, userStub } from "../wiring.ts";
import { authenticate, type Caller, isUserId } from "./authentication.ts";
import { allowedOrigins, preflight, withCors } from "./cors.ts";
import { health } from "./health.ts";
import { checkHost, urlOf } from "./host.ts";
import {
  type NewReader,
  newReaderOf,
  readerOf,
  type SessionConfig,
  sessionConfig,
  startSession,
} from "./session.ts";

const router = Router<IRequest, [Request, Env]>();

router.get("/healthz", (_matched, _request, env) => health(env));

// Readers without a bearer token, where there may be any.
router.post(`${API_PREFIX}/session`, session);

// What can be asked.
router.get(`${API_PREFIX}/ai/examples`, examples);

// A user's own object.
router.post(`${API_PREFIX}/ai/ask`, ask);
router.get(`${API_PREFIX}/ai/quota`, toOwnObject);
router.get(`${API_PREFIX}/ai/queries`, toOwnObject);
router.get(`${API_PREFIX}/ai/queries/:id`, toOwnObject);
router.get(`${API_PREFIX}/ai/queries/:id/events`, events);
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
    const origins = allowedOrigins(env);
    const url = urlOf(request);
    checkHost(request, url, allowedHosts(env), origins);
    const response =
      request.method === "OPTIONS"
        ? preflight(request, origins)
        : await route(url, request, env).catch(refuse(request));
    return withCors(request, response, origins);
  } catch (thrown) {
    return refuse(request)(thrown);
  }
}

/** For HEAD it answers as for GET: the runtime sends the status and the headers, and drops the body. */
async function route({ pathname }: URL, request: Request, env: Env): Promise<Response> {
  const method = request.method === "HEAD" ? "GET" : request.method;
  const methods = router.routes.filter(([, path]) => path.test(pathname)).map(([method]) => method);
  if (methods.length === 0) {
    if (method === "GET") {
      const file = env.PAGE?.[pathname];
      if (file !== undefined) return new Response(file.text, { headers: file.headers });
      const asset = await env.ASSETS?.fetch(request);
      if (asset !== undefined && asset.status !== 404) return asset;
    }
    throw new ServiceError("NOT_FOUND", "There is nothing at this address.");
  }
  if (!methods.includes(method)) {
    const allow = methods.join(", ").replace("GET", "GET, HEAD");
    throw new ServiceError("METHOD_NOT_ALLOWED", `Only ${allow} can be used here.`, {
      headers: { allow },
    });
  }
  // Without the query string, over which it would take quadratic time.
  return router.fetch({ method, url: `https://edge${pathname}` } as IRequest, request, env);
}

function refuse(request: Request): (thrown: unknown) => Response {
  return (thrown) => errorResponse(toServiceError(thrown), errorFormat(URL.parse(request.url)));
}

async function session(_matched: IRequest, request: Request, env: Env): Promise<Response> {
  const config = sessionConfig(env);
  if (config === undefined) {
    throw new ServiceError(
      "NOT_FOUND",
      "This deployment accepts bearer tokens only. Send Authorization: Bearer <JWT>.",
    );
  }
  return startSession(request, config);
}

async function examples(_matched: IRequest, request: Request, env: Env): Promise<Response> {
  await caller(request, env);
  return forward(corpusStub(env), request);
}

/** A page of this origin can ask at once: its session starts with its first ask. */
async function ask(_matched: IRequest, request: Request, env: Env): Promise<Response> {
  const { userId, identity, cookie } = await asker(request, env);
  const response = await forward(userStub(env, userId), request, { userId, identity }).catch(
    refuse(request),
  );
  if (cookie === undefined) return response;
  const withCookie = new Response(response.body, response);
  withCookie.headers.append("set-cookie", cookie);
  return withCookie;
}

async function toOwnObject(_matched: IRequest, request: Request, env: Env): Promise<Response> {
  const { userId, identity } = await caller(request, env);
  return forward(userStub(env, userId), request, { userId, identity });
}

/** HEAD stays HEAD: as a GET it would be one more reader of the answer. */
async function events(_matched: IRequest, request: Request, env: Env): Promise<Response> {
  const { userId, identity } = await caller(request, env);
  const { method } = request;
  return forward(userStub(env, userId), request, { userId, identity, method });
}

async function asker(request: Request, env: Env): Promise<Caller & Partial<NewReader>> {
  const config = sessionConfigFor(request, env);
  const reader = config && ((await readerOf(request, config)) ?? newReaderOf(request, config));
  return (await reader) ?? authenticate(request, authenticationConfig(env));
}

/** Who asks: by a bearer token or, where that is allowed, by the cookie of a session. */
async function caller(request: Request, env: Env): Promise<Caller> {
  const config = sessionConfigFor(request, env);
  const reader = config && (await readerOf(request, config));
  return reader ?? authenticate(request, authenticationConfig(env));
}

/** Undefined for a request that only a bearer token can let in; one that is sent counts alone. */
function sessionConfigFor(request: Request, env: Env): SessionConfig | undefined {
  return request.headers.has("authorization") ? undefined : sessionConfig(env);
}

async function toUserObject({ params }: IRequest, request: Request, env: Env): Promise<Response> {
  await authenticateOperator(request, env);
  const userId = decodeParameter(params.userId ?? "");
  if (!isUserId(userId)) {
    throw new ServiceError("NOT_FOUND", "No user can have this name.");
  }
  return forward(userStub(env, userId), request, { userId });
}

async function toCorpus(_matched: IRequest, request: Request, env: Env): Promise<Response> {
  await authenticateOperator(request, env);
  return forward(corpusStub(env), request);
}

async function authenticateOperator(request: Request, env: Env): Promise<void> {
  const { operator } = await authenticate(request, authenticationConfig(env));
  if (!operator) {
    throw new ServiceError(
      "FORBIDDEN",
      "Only operators may do this. Send a bearer token with the scope or role operator.",
    );
  }
}

interface Forwarding {
  readonly userId?: string;
  readonly identity?: string | undefined;
  readonly method?: string;
}

/** A minimal request of our own to an object: no cookie and no bearer token goes further than here. */
async function forward(
  stub: { fetch(request: Request): Promise<Response> },
  request: Request,
  {
    userId,
    identity,
    method = request.method === "HEAD" ? "GET" : request.method,
  }: Forwarding = {},
): Promise<Response> {
  // A GET has no body, though some clients send one.
  const body = method === "GET" || method === "HEAD" ? null : request.body;
  if (body !== null) refuseCompressed(request);
  const headers = new Headers();
  for (const name of ["content-type", "idempotency-key", "accept", "last-event-id"]) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  if (userId !== undefined) headers.set(USER_HEADER, encodeURIComponent(userId));
  if (identity !== undefined) headers.set(IDENTITY_HEADER, identity);
  const roundTripMs = (request.cf as IncomingRequestCfProperties | undefined)?.clientTcpRtt;
  // wrangler dev says 0 where it has measured nothing.
  if (roundTripMs) headers.set(ROUND_TRIP_HEADER, String(roundTripMs));
  const { pathname, searchParams } = new URL(request.url);
  const url = `https://object${pathname}?${withoutRepeats(searchParams)}`;
  const forwarded = new Request(url, { method, headers, body });
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
