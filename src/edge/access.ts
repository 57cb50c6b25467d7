// Operators by Cloudflare Access. Access checks people before a request reaches
// the Worker, and adds a signed token to the request. The token names an Access
// application. The policy of that application says who is an operator.

import { errors, jwtVerify } from "jose";
import { invalid, isFetchable, text, type Variables } from "../config.ts";
import { ServiceError } from "../errors.ts";
import { kept } from "../kept.ts";
import { isSameOrigin } from "../origin.ts";
import { type Caller, isUserId, publishedKeys, refused } from "./authentication.ts";

export interface AccessConfig {
  /** The team's address: `iss` of its tokens. */
  readonly team: URL;
  /** The application's audience tag: `aud` of its tokens. */
  readonly audience: string;
}

/** Where Access puts its token. */
const HEADER = "cf-access-jwt-assertion";
const CLOCK_TOLERANCE_S = 5;

/** Undefined if unset. Throws UNAVAILABLE if a variable is wrong. */
export const accessConfig = kept((env: Variables): AccessConfig | undefined => {
  const address = text(env, "ACCESS_TEAM_URL");
  const audience = text(env, "ACCESS_AUDIENCE");
  if (address === undefined && audience === undefined) return undefined;
  const team = URL.parse(address ?? "");
  if (team === null || !isFetchable(team) || team.href !== `${team.origin}/`) {
    throw invalid(
      "ACCESS_TEAM_URL",
      "must be the address of your Access team, such as https://example.cloudflareaccess.com, beside ACCESS_AUDIENCE",
    );
  }
  // Without it, the token of every application of the team would be accepted.
  if (audience === undefined) {
    throw invalid("ACCESS_AUDIENCE", "is not set beside ACCESS_TEAM_URL: set both");
  }
  return { team, audience };
});

/** Undefined if Access added no token. Throws for one that is not valid. */
export async function accessOperator(
  request: Request,
  { team, audience }: AccessConfig,
): Promise<Caller | undefined> {
  const token = request.headers.get(HEADER);
  if (token === null) return undefined;
  // Access adds the token by a cookie, so a page of another site could send it.
  if (!isSameOrigin(request)) {
    throw new ServiceError(
      "FORBIDDEN",
      "With Cloudflare Access only pages of this origin may do this. Programs send a bearer token.",
    );
  }
  const name = await verifiedName(token, team, audience);
  return { userId: name, operator: true };
}

async function verifiedName(token: string, team: URL, audience: string): Promise<string> {
  try {
    const keys = publishedKeys(new URL("/cdn-cgi/access/certs", team), "ACCESS_TEAM_URL");
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ["RS256"],
      issuer: team.origin,
      audience,
      requiredClaims: ["exp"],
      clockTolerance: CLOCK_TOLERANCE_S,
    });
    // The operators' log shows the name that people know: an e-mail address.
    const name = [payload.email, payload.common_name, payload.sub].find(isUserId);
    if (name !== undefined) return name;
  } catch (cause) {
    if (cause instanceof ServiceError) throw cause;
    if (cause instanceof errors.JWTExpired) {
      throw refused("The token of Cloudflare Access has expired. Reload the page.");
    }
  }
  throw refused("The token of Cloudflare Access is not valid here.");
}
