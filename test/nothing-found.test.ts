// Answers that say only that nothing was found: marked by the generator, free within the
// refund allowance, kept and replayed.

import { describe, expect, it, vi } from "vitest";
import type { AnswerBody } from "../src/protocol.ts";
import {
  adminPath,
  asOperator,
  audit,
  eventually,
  newUser,
  scripted,
  type TestUser,
} from "./harness.ts";

const NOTHING = { tokens: ["[0] ", "Nothing ", "here."] };

async function askToTheEnd(user: TestUser, tokens: string[]) {
  const stream = await user.ask({ tokens });
  const events = await stream.all();
  return { stream, done: events.at(-1), receipt: await user.resolved(stream.queryId) };
}

describe("an answer that found nothing", () => {
  it("is free, says so everywhere, and does not show the mark", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const user = await newUser();
    const { stream, done, receipt } = await askToTheEnd(user, NOTHING.tokens);
    expect(stream.answer).toBe("Nothing here.");
    expect(done).toMatchObject({ type: "done", found: false, finish: "stop", quotaRemaining: 20 });
    expect(receipt).toMatchObject({
      state: "refunded",
      reason: "nothing_found",
      answer: "Nothing here.",
      found: false,
    });
    expect(await user.quota()).toMatchObject({ charged: 0, refunded: 1, refundsLeft: 19 });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
    await eventually(
      async () => log.mock.calls.flat().join("\n"),
      (lines) => lines.includes('"reason":"nothing_found","finish":"stop","found":false'),
    );
    log.mockRestore();
  });

  it("is free as JSON too, after headers that still count the reservation", async () => {
    const user = await newUser();
    const response = await user.askForJson(NOTHING);
    expect(response.headers.get("ratelimit")).toContain(";r=19;");
    const body = await response.json<AnswerBody>();
    expect(body).toMatchObject({ answer: "Nothing here.", found: false, quotaRemaining: 20 });
    expect(await user.resolved(body.queryId)).toMatchObject({ reason: "nothing_found" });
  });

  it("is recognised however the mark is cut, and whatever follows it", async () => {
    for (const tokens of [
      ["[", "0", "]", " ", "Nothing here."],
      ["\n[0]", "\n\n", "Nothing here."],
      ["[0]. Nothing here."],
      ["[0] [", "0] ", "Nothing here."],
    ]) {
      const { stream, receipt } = await askToTheEnd(await newUser(), tokens);
      expect(stream.answer).toBe("Nothing here.");
      expect(receipt).toMatchObject({ reason: "nothing_found", answer: "Nothing here." });
    }
  });

  it("gets a sentence where the model writes the mark alone", async () => {
    const { stream, receipt } = await askToTheEnd(await newUser(), ["[0]"]);
    expect(stream.answer).toBe("I found nothing about that in the indexed documents.");
    expect(receipt).toMatchObject({ reason: "nothing_found" });
  });

  it("is charged if the mark is not at its beginning, or is another one", async () => {
    for (const tokens of [["So: [0] Nothing."], ["[00] a"], ["[", "x] a"], [" [1] a"]]) {
      const { stream, receipt } = await askToTheEnd(await newUser(), tokens);
      expect(stream.answer).toBe(tokens.join(""));
      expect(receipt).toMatchObject({ state: "charged", found: true });
    }
  });

  it("is replayed free by its key, read again, and rated", async () => {
    const user = await newUser();
    const headers = { "idempotency-key": "one" };
    const first = await user.ask(NOTHING, {}, headers);
    await first.all();
    await user.resolved(first.queryId);
    const again = await user.ask(NOTHING, {}, headers);
    expect((await again.all()).at(-1)).toMatchObject({ type: "done", found: false });
    expect(again.queryId).toBe(first.queryId);
    const read = await user.events(first.queryId);
    await read.all();
    expect(read.answer).toBe("Nothing here.");
    const rating = await user.post("/ai/feedback", { queryId: first.queryId, rating: "down" });
    expect(rating.ok).toBe(true);
    expect(await user.receipt(first.queryId)).toMatchObject({
      reason: "nothing_found",
      feedback: { rating: "down" },
    });
    expect(await user.quota()).toMatchObject({ charged: 0, refunded: 1, reserved: 0 });
  });

  it("is free where it finishes without a listener", async () => {
    const user = await newUser();
    const stream = await user.ask({ ...NOTHING, gapMs: 50 }, { onDisconnect: "continue" });
    await stream.until("token");
    stream.leave();
    expect(await user.resolved(stream.queryId)).toMatchObject({ reason: "nothing_found" });
  });

  it("is charged once the refund allowance is used up", async () => {
    const user = await newUser({ REFUND_LIMIT: "2" });
    const seen = [];
    for (let ask = 0; ask < 3; ask += 1) {
      const { done, receipt } = await askToTheEnd(user, ["[0] ", `Nothing ${ask}.`]);
      seen.push([receipt.state, done?.type === "done" && done.quotaRemaining]);
    }
    expect(seen).toEqual([
      ["refunded", 20],
      ["refunded", 20],
      ["charged", 19],
    ]);
    expect(await user.quota()).toMatchObject({ charged: 1, refunded: 2, refundsLeft: 0 });
  });

  it("never refunds more than the allowance, however many end at once", async () => {
    const user = await newUser({ REFUND_LIMIT: "2", CONCURRENCY_LIMIT: "10" });
    const asks = Array.from({ length: 8 }, (_, n) => askToTheEnd(user, ["[0] ", `Nothing ${n}.`]));
    await Promise.all(asks);
    expect(await user.quota()).toMatchObject({ charged: 6, refunded: 2 });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("counts with disconnecting, stopping and small talk: all share the allowance", async () => {
    const user = await newUser({ QUOTA_LIMIT: "3", REFUND_LIMIT: "4", DELIVERY_HOLD_MS: "100" });
    const statuses: number[] = [];
    for (let ask = 0; ask < 10; ask += 1) {
      const query =
        ask % 3 === 0
          ? `Hello${"!".repeat(ask)}`
          : scripted({ tokens: ["[0] ", "Nothing."], endMs: 20 }, `Question ${ask}.`);
      const onDisconnect = ask % 2 === 0 ? "cancel" : "continue";
      const stream = await user.ask(query, { onDisconnect });
      statuses.push(stream.response.status);
      if (stream.response.status !== 200) continue;
      await stream.until("token");
      if (ask % 4 === 1) stream.leave();
      else {
        const stop = ask % 4 === 2 && user.post(`/ai/queries/${stream.queryId}/cancel`);
        await Promise.all([stop, stream.all()]);
      }
      await user.resolved(stream.queryId);
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(3 + 4);
    expect(await user.quota()).toMatchObject({ charged: 3, refunded: 4, refundsLeft: 0 });
    expect(await audit(user)).toEqual({ ok: true, differences: [] });
  });

  it("is charged with CHARGE_NOTHING_FOUND=true", async () => {
    const user = await newUser({ CHARGE_NOTHING_FOUND: "true" });
    const { done, receipt } = await askToTheEnd(user, NOTHING.tokens);
    expect(done).toMatchObject({ found: false, quotaRemaining: 19 });
    expect(receipt).toMatchObject({ state: "charged", reason: null, found: false });
  });

  it("is refunded once, though an operator refunds it again", async () => {
    const user = await newUser();
    const { stream } = await askToTheEnd(user, NOTHING.tokens);
    const path = `${adminPath(user)}/queries/${stream.queryId}/refund`;
    const receipt = await (await asOperator(path, { method: "POST" })).json();
    expect(receipt).toMatchObject({ state: "refunded", reason: "nothing_found" });
    expect(await user.quota()).toMatchObject({ charged: 0, refunded: 1 });
  });
});
