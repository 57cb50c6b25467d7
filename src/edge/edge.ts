// The edge: every route, who may call it, and which object answers it. It reads
// no body, except those of files: limits and documents.

import { type IRequest, Router } from "itty-router";
import { allowedHosts, defaultCollections } from "../config.ts";
import { ServiceError, toServiceError } from "../errors.ts";
import { refusalForm } from "../formats/choice.ts";
import { errorResponse } from "../formats/format.ts";
import { json } from "../formats/json.ts";
import { model, models } from "../formats/models.ts";
import { nothingToResume } from "../formats/ui-message.ts";
import { isSameOrigin } from "../origin.ts";
import { API_PREFIX, DEFAULT_COLLECTION } from "../protocol.ts";
import { decodeParameter } from "../request.ts";
import { budgetStub, corpusStub, directoryStub, type Env, userStub } from "../wiring.ts";
import { authenticate, type Caller, isUserId } from "./authentication.ts";
import { builtFile } from "./built-files.ts";
import { collectionObject, exampleQuestions } from "./collections.ts";
import { type NewReader, newReaderOf, readerOf, startCookieSession } from "./cookie-session.ts";
import { allowedOrigins, embeddingOrigins, preflight, withCors } from "./cors.ts";
import { exportDocuments, importDocuments } from "./document-lines.ts";
import { embedReaderOf, startEmbedSession } from "./embed-session.ts";
import { embedTokenOf } from "./embed-token.ts";
import { forward } from "./forward.ts";
import { health } from "./health.ts";
import { checkHost, urlOf } from "./host.ts";
import { changeLimits } from "./limits.ts";
import { mcp } from "./mcp.ts";
import { isForOperators, operatorOf } from "./operator.ts";
import { noted } from "./operators-log.ts";
import { consolePage, page } from "./page.ts";
import { pageIdentity, withOwnQuestions } from "./page-identity.ts";
import { protectedResource } from "./protected-resource.ts";
import { asSent, trustedProxies } from "./proxy.ts";
import { type SessionConfig, sessionConfig } from "./session.ts";
import { authenticationConfig } from "./signing.ts";

/** What a path says. */
type Matched = Pick<IRequest, "params">;

const router = Router<Matched, [Request, Env]>();

router.get("/healthz", (_matched, _request, env) => health(env));
router.get(`${API_PREFIX}/openapi.json`, describe);
router.get(`${API_PREFIX}/page`, identity);

// Readers without a bearer token.
router.post(`${API_PREFIX}/session`, session);

// Example questions.
router.get(`${API_PREFIX}/ai/examples`, examples);

// A user's own object.
router.post(`${API_PREFIX}/ai/ask`, ask);
router.get(`${API_PREFIX}/ai/quota`, toOwnObject);
router.get(`${API_PREFIX}/ai/queries`, toOwnObject);
router.get(`${API_PREFIX}/ai/queries/:id`, toOwnObject);
router.delete(`${API_PREFIX}/ai/queries/:id`, toOwnObject);
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

// Operators: all users, any user's object, the budget, and the documents.
router.get(`${API_PREFIX}/admin/users`, toDirectory);
router.post(`${API_PREFIX}/admin/users/limits`, limits);
router.get(`${API_PREFIX}/admin/queries`, toDirectory);
router.get(`${API_PREFIX}/admin/feedback`, toDirectory);
router.get(`${API_PREFIX}/admin/totals`, toDirectory);
router.get(`${API_PREFIX}/admin/report`, toDirectory);
router.get(`${API_PREFIX}/admin/log`, toDirectory);
router.get(`${API_PREFIX}/admin/users/:userId`, toUserObject);
router.patch(`${API_PREFIX}/admin/users/:userId`, toUserObject);
router.delete(`${API_PREFIX}/admin/users/:userId`, toUserObject);
router.get(`${API_PREFIX}/admin/users/:userId/export`, toUserObject);
router.post(`${API_PREFIX}/admin/users/:userId/queries/:id/refund`, toUserObject);
router.get(`${API_PREFIX}/admin/budget`, toBudget);
router.patch(`${API_PREFIX}/admin/budget`, toBudget);
router.get(`${API_PREFIX}/admin/export`, exported);
router.post(`${API_PREFIX}/admin/import`, imported);
router.get(`${API_PREFIX}/admin/documents`, toCorpus);
router.get(`${API_PREFIX}/admin/documents/:id`, toCorpus);
router.put(`${API_PREFIX}/admin/documents/:id`, toCorpus);
router.delete(`${API_PREFIX}/admin/documents/:id`, toCorpus);
router.post(`${API_PREFIX}/admin/documents/:id/move`, toCorpus);

// Collections: the list is in the object of `default`.
router.get(`${API_PREFIX}/admin/collections`, toCorpus);
router.patch(`${API_PREFIX}/admin/collections/:collection`, toCorpus);
router.delete(`${API_PREFIX}/admin/collections/:collection`, toCorpus);
router.get(`${API_PREFIX}/admin/collections/:collection/documents`, toCollection);
router.get(`${API_PREFIX}/admin/collections/:collection/documents/:id`, toCollection);
router.put(`${API_PREFIX}/admin/collections/:collection/documents/:id`, toCollection);
router.delete(`${API_PREFIX}/admin/collections/:collection/documents/:id`, toCollection);
router.post(`${API_PREFIX}/admin/collections/:collection/documents/:id/move`, toCollection);

// MCP clients.
router.post("/mcp", (_matched, request, env) => mcp(request, env));
router.get("/.well-known/oauth-protected-resource", resourceMetadata);
router.get("/.well-known/oauth-protected-resource/mcp", resourceMetadata);

/** Every route: its method, and its path with named parameters. */
export const routes: readonly (readonly [method: string, path: string])[] = router.routes.map(
  ([method, , , path = ""]) => [method, path],
);

/** Answers a request. Whatever is thrown becomes an error of the protocol. */
export async function handle(received: Request, env: Env): Promise<Response> {
  let request = received;
  try {
    // A wrong variable refuses the request before anything is reserved.
    const origins = allowedOrigins(env);
    const hosts = allowedHosts(env);
    checkHost(received, urlOf(received), hosts, origins);
    request = asSent(received, trustedProxies(env));
    const url = urlOf(request);
    // A page on the proxy's machine could name another host to the proxy.
    if (request !== received) checkHost(request, url, hosts, origins);
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
  for (const [routeMethod, pattern, [handler], path = ""] of router.routes) {
    const match = pattern.exec(pathname);
    if (match === null) continue;
    // router.fetch would take quadratic time for the query string.
    const matched = { params: match.groups ?? {} } as IRequest;
    if (routeMethod === method) {
      if (!isForOperators(path)) return handler?.(matched, request, env);
      // Only once: the token may expire while the change is made.
      const { userId: operator } = await operatorOf(request, env);
      const response = await handler?.(matched, request, env);
      return noted({ path, params: matched.params, operator }, request, env, response);
    }
    methods.push(routeMethod);
  }
  if (methods.length === 0) {
    if (method === "GET") {
      const file = await servedFile(pathname, request, env);
      if (file !== undefined) return file;
    }
    throw nothingHere();
  }
  const allow = methods.join(", ").replace("GET", "GET, HEAD");
  throw new ServiceError("METHOD_NOT_ALLOWED", `Only ${allow} can be used here.`, {
    headers: { allow },
  });
}

/** Each page has one address: its files are not served as such. */
async function servedFile(path: string, request: Request, env: Env): Promise<Response | undefined> {
  if (path === "/") return page(request, env);
  if (path === "/console") return consolePage(request, env);
  return path.endsWith(".html") ? undefined : builtFile(path, request, env);
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

async function identity(_matched: Matched, _request: Request, env: Env): Promise<Response> {
  return json(pageIdentity(env));
}

async function session(_matched: Matched, request: Request, env: Env): Promise<Response> {
  const config = sessionConfig(env);
  if (config === undefined) {
    throw new ServiceError(
      "NOT_FOUND",
      "This deployment accepts bearer tokens only. Send Authorization: Bearer <JWT>.",
    );
  }
  return isSameOrigin(request)
    ? startCookieSession(request, config)
    : startEmbedSession(request, config, embeddingOrigins(env));
}

async function examples(_matched: Matched, request: Request, env: Env): Promise<Response> {
  const { collections } = await caller(request, env);
  return withOwnQuestions(await exampleQuestions(request, collections, env), env);
}

async function listModels(_matched: Matched, request: Request, env: Env): Promise<Response> {
  const { collections } = await caller(request, env);
  return json(models(collections));
}

async function getModel({ params }: Matched, request: Request, env: Env): Promise<Response> {
  const { collections } = await caller(request, env);
  return json(model(decodeParameter(params.id ?? ""), collections));
}

/** A page of this origin can ask at once: its first ask starts a session. */
async function ask(_matched: Matched, request: Request, env: Env): Promise<Response> {
  const { cookie, ...sender } = await asker(request, env);
  const response = await forward(userStub(env, sender.userId), request, sender).catch(
    refuse(request),
  );
  if (cookie === undefined) return response;
  const withCookie = new Response(response.body, response);
  withCookie.headers.append("set-cookie", cookie);
  return withCookie;
}

async function toOwnObject(_matched: Matched, request: Request, env: Env): Promise<Response> {
  const sender = await caller(request, env);
  return forward(userStub(env, sender.userId), request, sender);
}

/** HEAD stays HEAD: a GET would count as one more reader. */
async function events(_matched: Matched, request: Request, env: Env): Promise<Response> {
  const sender = await caller(request, env);
  const { method } = request;
  return forward(userStub(env, sender.userId), request, { ...sender, method });
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

async function asker(request: Request, env: Env): Promise<Reading & Partial<NewReader>> {
  const config = sessionConfigFor(request, env);
  const reader = config && ((await readerOf(request, config)) ?? newReaderOf(request, config));
  return reading((await reader) ?? (await holder(request, env)), env);
}

/** The caller by a token or, if allowed, by the session's cookie. */
async function caller(request: Request, env: Env): Promise<Reading> {
  const config = sessionConfigFor(request, env);
  const reader = config && (await readerOf(request, config));
  return reading(reader ?? (await holder(request, env)), env);
}

/** A caller, and the collections that they may read. */
type Reading = Caller & { readonly collections: readonly string[] };

function reading<Known extends Caller>(known: Known, env: Env): Known & Reading {
  return { ...known, collections: known.collections ?? defaultCollections(env) };
}

/** The caller by the token of a user, or of a page that embeds Belay. */
function holder(request: Request, env: Env): Promise<Caller> {
  return embedTokenOf(request) === undefined
    ? authenticate(request, authenticationConfig(env))
    : embedReaderOf(request, sessionConfig(env), embeddingOrigins(env));
}

/** Undefined if only a bearer token counts, as when one is sent. */
function sessionConfigFor(request: Request, env: Env): SessionConfig | undefined {
  return request.headers.has("authorization") ? undefined : sessionConfig(env);
}

async function toUserObject({ params }: Matched, request: Request, env: Env): Promise<Response> {
  const userId = decodeParameter(params.userId ?? "");
  if (!isUserId(userId)) {
    throw new ServiceError("NOT_FOUND", "No user can have this name.");
  }
  return forward(userStub(env, userId), request, { userId });
}

async function toDirectory(_matched: Matched, request: Request, env: Env): Promise<Response> {
  const directory = directoryStub(env);
  if (directory !== undefined) return forward(directory, request);
  throw new ServiceError(
    "UNAVAILABLE",
    "This deployment has no directory. The operator has to declare the binding DIRECTORY in wrangler.toml.",
    { headers: { "retry-after": "60" } },
  );
}

async function toBudget(_matched: Matched, request: Request, env: Env): Promise<Response> {
  const budget = budgetStub(env);
  if (budget !== undefined) return forward(budget, request);
  throw new ServiceError(
    "UNAVAILABLE",
    "This deployment has no budget. The operator has to declare the binding BUDGET in wrangler.toml.",
    { headers: { "retry-after": "60" } },
  );
}

async function limits(_matched: Matched, request: Request, env: Env): Promise<Response> {
  return changeLimits(request, env);
}

async function exported(_matched: Matched, request: Request, env: Env): Promise<Response> {
  const { object } = await collectionOf(request, env);
  return exportDocuments(object);
}

async function imported(_matched: Matched, request: Request, env: Env): Promise<Response> {
  const { object, stored } = await collectionOf(request, env, "PUT");
  return importDocuments(request, { documents: object, stored }, env);
}

/** The object of the collection that the query string names. */
function collectionOf(request: Request, env: Env, method = "GET") {
  const name = new URL(request.url).searchParams.get("collection") ?? DEFAULT_COLLECTION;
  return collectionObject(encodeURIComponent(name), method, env);
}

async function toCorpus(_matched: Matched, request: Request, env: Env): Promise<Response> {
  return forward(corpusStub(env), request);
}

async function toCollection({ params }: Matched, request: Request, env: Env): Promise<Response> {
  const { object, stored } = await collectionObject(params.collection, request.method, env);
  const response = await forward(object, request);
  if (response.ok) await stored();
  return response;
}

async function resourceMetadata(_matched: Matched, request: Request, env: Env): Promise<Response> {
  return protectedResource(request, authenticationConfig(env));
}
