// The edge: every route, who may call it, and which object answers it. It reads
// no body.

import { type IRequest, Router } from "itty-router";
import { allowedHosts, authenticationConfig } from "../config.ts";
import { ServiceError, toServiceError } from "../errors.ts";
import { refusalForm } from "../formats/choice.ts";
import { errorResponse } from "../formats/format.ts";
import { json } from "../formats/json.ts";
import { model, models } from "../formats/models.ts";
import { nothingToResume } from "../formats/ui-message.ts";
import { isSameOrigin } from "../origin.ts";
import { API_PREFIX } from "../protocol.ts";
import { decodeParameter } from "../request.ts";
import { corpusStub, type Env, userStub } from "../wiring.ts";
import { authenticate, type Caller, isUserId } from "./authentication.ts";
import { allowedOrigins, preflight, withCors } from "./cors.ts";
import { forward } from "./forward.ts";
import { health } from "./health.ts";
import { checkHost, urlOf } from "./host.ts";
import { mcp } from "./mcp.ts";
import { protectedResource } from "./protected-resource.ts";
import {
  type NewReader,
  newReaderOf,
  readerOf,
  type SessionConfig,
  sessionConfig,
  startSession,
} from "./session.ts";

/** What a path says. */
type Matched = Pick<IRequest, "params">;

const router = Router<Matched, [Request, Env]>();

router.get("/healthz", (_matched, _request, env) => health(env));
router.get(`${API_PREFIX}/openapi.json`, describe);

// Readers without a bearer token.
router.post(`${API_PREFIX}/session`, session);

// Example questions.
router.get(`${API_PREFIX}/ai/examples`, examples);

// A user's own object.
router.post(`${API_PREFIX}/ai/ask`, ask);
router.get(`${API_PREFIX}/ai/quota`, toOwnObject);
router.get(`${API_PREFIX}/ai/queries`, toOwnObject);
router.get(`${API_PREFIX}/ai/queries/:id`, toOwnObject);
router.get(`${API_PREFIX}/ai/queries/:id/events`, events);
router.post(`${API_PREFIX}/ai/queries/:id/cancel`, toOwnObject);
router.post(`${API_PREFIX}/ai/feedback`, toOwnObject);

// The AI SDK's chat.
router.post(`${API_PREFIX}/ai/chat`, ask);
router.get(`${API_PREFIX}/ai/chat/:id/stream`, chatStream);

// OpenAI's API.
router.post("/v1/chat/completions", ask);
router.post("/v1/responses", ask);
router.get("/v1/responses/:id", events);
router.post("/v1/responses/:id/cancel", toOwnObject);
router.get("/v1/models", listModels);
router.get("/v1/models/:id", getModel);

// Operators: any user's object, and the documents.
router.get(`${API_PREFIX}/admin/users/:userId`, toUserObject);
router.patch(`${API_PREFIX}/admin/users/:userId`, toUserObject);
router.delete(`${API_PREFIX}/admin/users/:userId`, toUserObject);
router.post(`${API_PREFIX}/admin/users/:userId/queries/:id/refund`, toUserObject);
router.get(`${API_PREFIX}/admin/documents`, toCorpus);
router.get(`${API_PREFIX}/admin/documents/:id`, toCorpus);
router.put(`${API_PREFIX}/admin/documents/:id`, toCorpus);
router.delete(`${API_PREFIX}/admin/documents/:id`, toCorpus);

// MCP clients.
router.post("/mcp", (_matched, request, env) => mcp(request, env));
router.get("/.well-known/oauth-protected-resource", resourceMetadata);
router.get("/.well-known/oauth-protected-resource/mcp", resourceMetadata);

/** Every route: its method, and its path with named parameters. */
export const routes: readonly (readonly [method: string, path: string])[] = router.routes.map(
  ([method, , , path = ""]) => [method, path],
);

/** Answers a request. Whatever is thrown becomes an error of the protocol. */
export async function handle(request: Request, env: Env): Promise<Response> {
  try {
    // A wrong variable refuses the request before anything is reserved.
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

/** HEAD is answered like GET: the runtime drops the body. */
async function route({ pathname }: URL, request: Request, env: Env): Promise<Response> {
  const method = request.method === "HEAD" ? "GET" : request.method;
  const methods: string[] = [];
  for (const [routeMethod, path, [handler]] of router.routes) {
    const match = path.exec(pathname);
    if (match === null) continue;
    // router.fetch would take quadratic time for the query string.
    const matched = { params: match.groups ?? {} } as IRequest;
    if (routeMethod === method) return handler?.(matched, request, env);
    methods.push(routeMethod);
  }
  if (methods.length === 0) {
    if (method === "GET") {
      const file = await builtFile(pathname, request, env);
      if (file !== undefined) return file;
    }
    throw nothingHere();
  }
  const allow = methods.join(", ").replace("GET", "GET, HEAD");
  throw new ServiceError("METHOD_NOT_ALLOWED", `Only ${allow} can be used here.`, {
    headers: { allow },
  });
}

/** A file that `npm run build:page` has made. */
async function builtFile(path: string, request: Request, env: Env): Promise<Response | undefined> {
  const file = env.PAGE?.[path];
  if (file !== undefined) return new Response(file.text, { headers: file.headers });
  const asset = await env.ASSETS?.fetch(new Request(new URL(path, request.url), request));
  return asset?.status === 404 ? undefined : asset;
}

function nothingHere(): ServiceError {
  return new ServiceError("NOT_FOUND", "There is nothing at this address.");
}

function refuse(request: Request): (thrown: unknown) => Response {
  return (thrown) => errorResponse(toServiceError(thrown), refusalForm(URL.parse(request.url)));
}

/** The OpenAPI document: the same for all callers. */
async function describe(_matched: Matched, request: Request, env: Env): Promise<Response> {
  const file = await builtFile("/openapi.json", request, env);
  if (file === undefined) throw nothingHere();
  const headers = new Headers({ "cache-control": "public, max-age=300" });
  for (const name of ["content-type", "etag"]) {
    const value = file.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(file.body, { status: file.status, headers });
}

async function session(_matched: Matched, request: Request, env: Env): Promise<Response> {
  const config = sessionConfig(env);
  if (config === undefined) {
    throw new ServiceError(
      "NOT_FOUND",
      "This deployment accepts bearer tokens only. Send Authorization: Bearer <JWT>.",
    );
  }
  return startSession(request, config);
}

async function examples(_matched: Matched, request: Request, env: Env): Promise<Response> {
  await caller(request, env);
  return forward(corpusStub(env), request);
}

async function listModels(_matched: Matched, request: Request, env: Env): Promise<Response> {
  await caller(request, env);
  return json(models());
}

async function getModel({ params }: Matched, request: Request, env: Env): Promise<Response> {
  await caller(request, env);
  return json(model(decodeParameter(params.id ?? "")));
}

/** A page of this origin can ask at once: its first ask starts a session. */
async function ask(_matched: Matched, request: Request, env: Env): Promise<Response> {
  const { userId, identity, cookie } = await asker(request, env);
  const response = await forward(userStub(env, userId), request, { userId, identity }).catch(
    refuse(request),
  );
  if (cookie === undefined) return response;
  const withCookie = new Response(response.body, response);
  withCookie.headers.append("set-cookie", cookie);
  return withCookie;
}

async function toOwnObject(_matched: Matched, request: Request, env: Env): Promise<Response> {
  const { userId, identity } = await caller(request, env);
  return forward(userStub(env, userId), request, { userId, identity });
}

/** HEAD stays HEAD: a GET would count as one more reader. */
async function events(_matched: Matched, request: Request, env: Env): Promise<Response> {
  const { userId, identity } = await caller(request, env);
  const { method } = request;
  return forward(userStub(env, userId), request, { userId, identity, method });
}

/**
 * A page asks this when it opens: before its first ask it has no session, so
 * there is no answer.
 */
async function chatStream(matched: Matched, request: Request, env: Env): Promise<Response> {
  const config = sessionConfigFor(request, env);
  if (config && isSameOrigin(request) && (await readerOf(request, config)) === undefined) {
    return nothingToResume();
  }
  return events(matched, request, env);
}

async function asker(request: Request, env: Env): Promise<Caller & Partial<NewReader>> {
  const config = sessionConfigFor(request, env);
  const reader = config && ((await readerOf(request, config)) ?? newReaderOf(request, config));
  return (await reader) ?? authenticate(request, authenticationConfig(env));
}

/** The caller by bearer token or, if allowed, by the session's cookie. */
async function caller(request: Request, env: Env): Promise<Caller> {
  const config = sessionConfigFor(request, env);
  const reader = config && (await readerOf(request, config));
  return reader ?? authenticate(request, authenticationConfig(env));
}

/** Undefined if only a bearer token counts, as when one is sent. */
function sessionConfigFor(request: Request, env: Env): SessionConfig | undefined {
  return request.headers.has("authorization") ? undefined : sessionConfig(env);
}

async function toUserObject({ params }: Matched, request: Request, env: Env): Promise<Response> {
  await authenticateOperator(request, env);
  const userId = decodeParameter(params.userId ?? "");
  if (!isUserId(userId)) {
    throw new ServiceError("NOT_FOUND", "No user can have this name.");
  }
  return forward(userStub(env, userId), request, { userId });
}

async function toCorpus(_matched: Matched, request: Request, env: Env): Promise<Response> {
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

async function resourceMetadata(_matched: Matched, request: Request, env: Env): Promise<Response> {
  return protectedResource(request, authenticationConfig(env));
}
