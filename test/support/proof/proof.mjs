// What each runtime does with the installed package: asks, stops an answer, and
// reads one over cut connections.

import { createClient } from "belay/client";

/** `cutUrl` leads to the same server, over connections that break. */
export async function prove({ url, cutUrl, token, query, endless }) {
  const client = createClient({ url, token });

  const asked = client.ask(query);
  const types = [];
  const tokens = [];
  for await (const event of asked) {
    if (event.type === "token") tokens.push(event.token);
    if (event.type !== types.at(-1)) types.push(event.type);
  }
  const { text, sources, found, queryId } = await asked.done;

  const stopped = client.ask(endless);
  for await (const { type } of stopped) if (type === "token") break;
  const receipt = await stopped.cancel();
  const error = await stopped.done.catch(({ name, code }) => ({ name, code }));

  let retries = 0;
  const resumed = createClient({ url: cutUrl, token, backoff: () => 20 }).ask(query, {
    onRetry: () => {
      retries += 1;
    },
  });
  const resumedTokens = [];
  for await (const event of resumed) if (event.type === "token") resumedTokens.push(event.token);

  return {
    runtime: navigator.userAgent,
    asked: { types, tokens, text, sources: sources.length, found },
    stopped: { error, state: receipt?.state, reason: receipt?.reason },
    resumed: { tokens: resumedTokens, retries, text: (await resumed.done).text },
    again: (await client.query(queryId)).answer,
  };
}
