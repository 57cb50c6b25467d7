// The console of a deployment with operators by Cloudflare Access, which does
// not share what users ask: a real browser, and the real server, which reads the
// keys of a team from an address on this machine.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NOTHING_FOUND } from "../../src/answer/nothing-found.ts";
import {
  arrange,
  ask,
  COMMENT,
  expectProblems,
  goTo,
  reported,
  request,
  settled,
  signIn,
  stranger,
  token,
} from "./console/operators.ts";

const AUDIENCE = "the tag of the console";
/** A word that is in a question and its answer, and nowhere else. */
const CANARY = "zyzzyva";

const keys = await generateKeyPair("RS256", { extractable: true });
const team = await serveKeys();

afterAll(() => team.server.close());

arrange(() => ({
  ACCESS_TEAM_URL: team.url,
  ACCESS_AUDIENCE: AUDIENCE,
  SHARE_QUERIES: "false",
}));

describe("the console behind Cloudflare Access", () => {
  beforeAll(async () => {
    const query = `Where is the ${CANARY}?`;
    const queryId = await ask("alice", { tokens: [`The ${CANARY} [1].`] }, query);
    const rate = { queryId, rating: "down", comment: COMMENT };
    await request("alice", "POST", "/ai/feedback", rate);
    await ask("alice", { tokens: [NOTHING_FOUND] }, `What is a ${CANARY}?`);
    await reported(2);
  });

  it("needs no token, and says who signs out", async () => {
    const visit = await stranger("log", { extraHTTPHeaders: await admitted() });
    const { page } = visit;
    await page.getByRole("heading", { name: "Log" }).waitFor();
    await settled(visit);
    expect(await page.locator("#operator").textContent()).toBe("Cloudflare Access");
    const out = page.getByRole("link", { name: "Sign out" });
    expect(await out.getAttribute("href")).toBe("/cdn-cgi/access/logout");
    // What the person changes is under their own name.
    await goTo(visit, "users/alice");
    await page.getByRole("button", { name: "Block", exact: true }).click();
    await page.locator("dialog").getByRole("button", { name: "Block" }).click();
    await page.getByText("blocked", { exact: true }).waitFor();
    await goTo(visit, "log");
    await page.getByRole("row", { name: /olivia@example\.com/ }).waitFor();
  });

  it("shows no word of a question or an answer, and says why", async () => {
    const visit = await stranger("overview", { extraHTTPHeaders: await admitted() });
    const { page } = visit;
    const bodies: string[] = [];
    page.on("response", async (response) => {
      if (response.url().includes("/admin/")) bodies.push(await response.text().catch(() => ""));
    });
    for (const [part, words] of [
      ["overview", "SHARE_QUERIES is false: the questions are not shown."],
      ["questions", "SHARE_QUERIES is false"],
      ["questions", "1 question found nothing."],
      ["questions/top", "SHARE_QUERIES is false"],
      ["questions/all", "Not shared."],
      ["feedback", "SHARE_QUERIES is false"],
      // A comment is for the operator. The user's own object shows it.
      ["users/alice", COMMENT],
    ] as const) {
      await goTo(visit, part);
      await page.getByText(words).first().waitFor();
      expect([part, await page.content()]).toEqual([part, expect.not.stringContaining(CANARY)]);
      const picture = `console-private-${part.replaceAll("/", "-")}`;
      expect([part, await visit.look(picture)]).toEqual([part, []]);
    }
    expect(bodies.length).toBeGreaterThan(3);
    expect(bodies.join("\n")).not.toContain(CANARY);
  });

  it("offers the token where Access let no one in", async () => {
    expectProblems(/status of 401/);
    const visit = await stranger("log", { extraHTTPHeaders: await admitted() });
    const { page } = visit;
    await page.getByRole("heading", { name: "Log" }).waitFor();
    await page.context().setExtraHTTPHeaders({});
    await page.getByRole("link", { name: "Users" }).click();
    await page.locator("#sign-in-why", { hasText: "did not let this page in" }).waitFor();
    // Access also stands before the routes: it answers a program with a redirect.
    const bearer = await token("olivia", true);
    const headers = { location: `${team.url}/login` };
    await page.route("**/api/v1/admin/**", (route) => route.fulfill({ status: 302, headers }));
    await page.getByLabel("An operator’s bearer token").fill(bearer);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator("#token-note", { hasText: "Cloudflare Access did not let" }).waitFor();
    await page.unroute("**/api/v1/admin/**");
    await signIn(visit, bearer);
    await page.getByRole("heading", { name: "Users" }).waitFor();
    await page.getByRole("link", { name: "alice" }).waitFor();
  });
});

/** What Access adds to each request that it lets in. */
async function admitted(): Promise<Record<string, string>> {
  const signed = new SignJWT({ email: "olivia@example.com" })
    .setProtectedHeader({ alg: "RS256", kid: "1" })
    .setIssuer(team.url)
    .setAudience(AUDIENCE)
    .setSubject("a-uuid")
    .setExpirationTime("10 minutes");
  return { "cf-access-jwt-assertion": await signed.sign(keys.privateKey) };
}

async function serveKeys(): Promise<{ readonly url: string; readonly server: Server }> {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: "1", alg: "RS256", use: "sig" };
  const server = createServer((request, response) => {
    const isKnown = request.url === "/cdn-cgi/access/certs";
    response.writeHead(isKnown ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify({ keys: isKnown ? [jwk] : [] }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
