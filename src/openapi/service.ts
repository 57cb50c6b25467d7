// The deployment itself: its health, this description, and who issues bearer
// tokens for it.

import * as v from "valibot";
import { description } from "./bodies.ts";
import { type Operation, type Part, shape } from "./operation.ts";

const metadata = v.object({
  resource: v.string(),
  resource_name: v.string(),
  authorization_servers: v.array(v.string()),
  bearer_methods_supported: v.array(v.literal("header")),
});

/** @param of The resource of the metadata, for the operation's name. */
function issuer(path: string, of: string): Operation {
  return {
    route: `GET /.well-known/oauth-protected-resource${path}`,
    id: `get${of}Metadata`,
    summary: "Who issues bearer tokens (RFC 9728)",
    callers: "everybody",
    replies: { 200: { about: "The issuer.", json: "ProtectedResource" } },
    errors: ["NOT_FOUND"],
  };
}

export function service(): Part {
  return {
    tag: "Service",
    about: "The deployment itself.",
    shapes: {
      Description: { schema: description, about: "An OpenAPI document." },
      ProtectedResource: shape(metadata, "Metadata of a protected resource.", {
        resource: "What a bearer token is for.",
        resource_name: "Its name.",
        authorization_servers: "Who issues bearer tokens.",
        bearer_methods_supported: "How to send one.",
      }),
    },
    operations: [
      {
        route: "GET /healthz",
        id: "getHealth",
        summary: "Whether every variable is right and storage takes writes",
        callers: "everybody",
        replies: {
          200: {
            about: "All is well. Where a budget is set, a second line says how much is used.",
            text: "ok",
          },
        },
      },
      {
        route: "GET /api/v1/openapi.json",
        id: "getDescription",
        summary: "This document",
        callers: "everybody",
        replies: {
          200: {
            about: "An OpenAPI 3.1 document.",
            headers: ["Cache-Control"],
            json: "Description",
          },
        },
      },
      issuer("", "Resource"),
      issuer("/mcp", "McpResource"),
    ],
  };
}
