// Another surface, in a few lines: what a new one has to write, and that every
// promise holds for it. Its route is in test/worker.ts.

import { describe, expect, it } from "vitest";
import { USER_HEADER } from "../../src/user/user-request.ts";
import { eventually, newUser, scripted, type TestUser, upstreamEnded } from "../harness.ts";
import type { Directive } from "../support/directive.ts";

/** Asks the object itself: the edge has no route to a format that only a test knows. */
function askLines(user: TestUser, directive: Directive, signal?: AbortSignal): Promise<Response> {
  return user.stub.fetch("https://object/lines", {
    method: "POST",
    headers: { [USER_HEADER]: encodeURIComponent(user.name), "content-type": "application/json" },
    body: JSON.stringify({ query: scripted(directive) }),
    ...(signal && { signal }),
  });
}

describe("a format of plain lines", () => {
  it("writes an answer with numbered events, and charges it", async () => {
    const user = await newUser();
    const response = await askLines(user, { tokens: ["One. ", "Two."] });
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    const id = response.headers.get("x-query-id");
    const lines = (await response.text()).split("\n").filter((line) => !line.startsWith("#"));
    expect(lines).toEqual([
      `1 begins ${id}, 19 left`,
      expect.stringMatching(/^2 sources \d+$/),
      '3 "One. "',
      '4 "Two."',
      `ends ${id}: stop, 19 left`,
      "",
    ]);
    expect(await user.resolved(id ?? "")).toMatchObject({ state: "charged", answer: "One. Two." });
  });

  it("refunds a client that disconnects, and stops the model", async () => {
    const user = await newUser();
    const client = new AbortController();
    const tag = crypto.randomUUID();
    const response = await askLines(user, { tokens: 1_000, gapMs: 20, tag }, client.signal);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ""; !text.includes("\n3 "); ) text += (await reader?.read())?.value ?? "";
    await reader?.cancel();
    client.abort();
    const receipt = await user.resolved(response.headers.get("x-query-id") ?? "");
    expect(receipt).toMatchObject({ state: "refunded", reason: "disconnected" });
    await upstreamEnded(tag);
  });

  it("says in its own words why an answer failed, and that nothing is left to pay", async () => {
    const user = await newUser();
    const response = await askLines(user, { tokens: 2, fault: "cut", at: 1 });
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(
      /\nfails GENERATION_FAILED: .* You were not charged.*\n$/,
    );
    await eventually(
      () => user.quota(),
      ({ remaining }) => remaining === 20,
    );
  });

  it("says in its own words why an ask is refused, under the true status", async () => {
    const user = await newUser({ QUOTA_LIMIT: "0" });
    const response = await askLines(user, { tokens: 1 });
    expect(response.status).toBe(429);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await response.text()).toBe(
      "fails QUOTA_EXCEEDED: Your limit is 0. Ask the operator.\n",
    );
  });
});
