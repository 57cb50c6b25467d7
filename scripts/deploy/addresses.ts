// Where a deployment is reached, and what to open there. Pure.

import { printable } from "../printable.ts";

/** Cloudflare names a custom domain without a scheme, and routes as patterns. */
const ADDRESS = /^(?:https:\/\/)?([a-z\d.-]+\.[a-z\d-]+)(?: \(custom domain[^)]*\))?\/?$/i;

/** A domain of the operator's own, else the first address. */
export function originOfTargets(targets: readonly string[]): string | undefined {
  const hosts = targets.flatMap((target) => ADDRESS.exec(target)?.[1] ?? []);
  const host = hosts.find((one) => !one.endsWith(".workers.dev")) ?? hosts[0];
  return host === undefined ? undefined : `https://${host}`;
}

export function addresses(origin: string, isOpen: boolean): string {
  const url = printable(origin);
  const rows: readonly (readonly [string, string])[] = [
    ["Page", isOpen ? url : `${url}    (readers need a bearer token: ANONYMOUS_LIMIT is 0)`],
    ["Console", `${url}/console`],
    ["Any page", `<script type="module" src="${url}/embed.js"></script> <belay-ask></belay-ask>`],
    ["API", `${url}/api/v1`],
    ["OpenAI", `${url}/v1    (a bearer token is the key, the model belay)`],
    ["MCP", `${url}/mcp`],
    ["Token", "npm run -s token -- --deployed --user me --operator"],
  ];
  const lines = rows.map(([label, value]) => `  ${label.padEnd(11)}${value}\n`);
  return `\nBelay is deployed on ${url}\n\n${lines.join("")}`;
}
