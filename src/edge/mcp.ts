// The MCP endpoint for one caller: who may use it, and what its tools can do.

import { searchedCollections } from "../collections.ts";
import { defaultCollections, userConfig } from "../config.ts";
import { API_PREFIX } from "../protocol.ts";
import { blocked } from "../user/refusals.ts";
import { type Env, userRetriever, userStub } from "../wiring.ts";
import { authenticate } from "./authentication.ts";
import { allowedOrigins } from "./cors.ts";
import { headersFor, orUnavailable, send } from "./forward.ts";
import { checkOrigin } from "./host.ts";
import { withResourceMetadata } from "./protected-resource.ts";
import { authenticationConfig } from "./signing.ts";

/** The package is loaded with the first request of a known caller. */
export async function mcp(request: Request, env: Env): Promise<Response> {
  const authentication = authenticationConfig(env);
  checkOrigin(request, allowedOrigins(env));
  const caller = await authenticate(request, authentication).catch((thrown) => {
    throw withResourceMetadata(thrown, request, authentication);
  });
  const { userId, limit, collections = defaultCollections(env) } = caller;
  const { answerMcp } = await import("../mcp/endpoint.ts");
  const user = userStub(env, userId);
  return answerMcp(request, {
    bodyTimeoutMs: userConfig(env).bodyTimeoutMs,
    ask: (body, call, signal) => {
      const headers = headersFor(request, { userId, collections, limit, call });
      headers.set("content-type", "application/json");
      const init = { method: "POST", headers, body: JSON.stringify(body), signal };
      return send(user, `${API_PREFIX}/ai/ask?stream=true`, init);
    },
    cancel: (call) => orUnavailable(user.cancelCall(call)),
    search: async (query, limit, named, signal) => {
      const searched = searchedCollections(named, collections);
      if (await orUnavailable(user.isBlocked())) throw blocked();
      return userRetriever(env, userId, searched).retrieve(query, limit, signal);
    },
  });
}
