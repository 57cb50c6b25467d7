// Where an MCP client finds the issuer of bearer tokens (RFC 9728).

import { ServiceError } from "../errors.ts";
import { json } from "../formats/json.ts";
import type { AuthenticationConfig } from "./signing.ts";

const WELL_KNOWN = "/.well-known/oauth-protected-resource";

/** The metadata. Throws NOT_FOUND where no issuer is set. */
export function protectedResource(request: Request, { issuer }: AuthenticationConfig): Response {
  const { origin, pathname } = new URL(request.url);
  if (!isUrl(issuer)) {
    throw new ServiceError(
      "NOT_FOUND",
      "This deployment names no issuer of bearer tokens. Its operator gives you one.",
    );
  }
  return json({
    // The path of the resource follows the well-known path (RFC 9728, 3.1).
    resource: origin + pathname.slice(WELL_KNOWN.length),
    resource_name: "Belay",
    authorization_servers: [issuer],
    bearer_methods_supported: ["header"],
  });
}

/** The refusal of a bearer token, with the address of the metadata. */
export function withResourceMetadata(
  thrown: unknown,
  request: Request,
  { issuer }: AuthenticationConfig,
): unknown {
  if (!(thrown instanceof ServiceError) || thrown.code !== "UNAUTHENTICATED") return thrown;
  const challenge = thrown.details.headers?.["www-authenticate"];
  if (challenge === undefined || !isUrl(issuer)) return thrown;
  const { origin, pathname } = new URL(request.url);
  const parameter = `resource_metadata="${origin}${WELL_KNOWN}${pathname}"`;
  const separator = challenge.includes("=") ? ", " : " ";
  return new ServiceError(thrown.code, thrown.message, {
    ...thrown.details,
    headers: {
      ...thrown.details.headers,
      "www-authenticate": `${challenge}${separator}${parameter}`,
    },
  });
}

/** An issuer is a URL where a client can find it. */
function isUrl(issuer: string | undefined): issuer is string {
  return issuer !== undefined && /^https?:$/.test(URL.parse(issuer)?.protocol ?? "");
}
