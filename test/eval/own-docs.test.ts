// How well the project's own documents answer what their readers would ask: the real corpus object,
// search and pipeline, and the answerer without a model. Shares, not single answers, are required, so
// that the documents may be reworded.

import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { answer } from "../../src/answer/pipeline.ts";
import { ExtractiveGenerator } from "../../src/generators/extractive.ts";
import type { Source } from "../../src/protocol.ts";
import { FullTextRetriever } from "../../src/retrievers/full-text.ts";

const documents = import.meta.glob<string>(
  ["../../README.md", "../../docs/*.md", "!../../docs/testing.md"],
  {
    query: "?raw",
    import: "default",
    eager: true,
  },
);

interface Question {
  readonly query: string;
  /** The document's id and the headings of a passage that the answer must cite. */
  readonly from: RegExp;
  /** What the answer must say, in any of these words. */
  readonly says: RegExp;
}

const QUESTIONS: readonly Question[] = [
  {
    query: "When am I charged for an answer?",
    from: /^readme › When you are charged/,
    says: /charged once for an answer that arrives whole/i,
  },
  {
    query: "Do I pay if I close the browser before the answer is complete?",
    from: /^readme › .*(?:leave before|left)/,
    says: /not charged|refunded|given back/i,
  },
  {
    query: "What is a refund allowance?",
    from: /refund allowance|allowance$/,
    says: /how many refunds|bounds how often/i,
  },
  {
    query: "How can I stop an answer that is being written?",
    from: /stop an answer/i,
    says: /cancel|close the connection/i,
  },
  {
    query: "How do I retry a request without being charged twice?",
    from: /retry without paying twice|The same ask/i,
    says: /Idempotency-Key/,
  },
  {
    query: "What happens to my quota when the model fails?",
    from: /model fails/,
    says: /not charged|given back/i,
  },
  {
    query: "The server crashed in the middle of my answer. What now?",
    from: /server crashes/,
    says: /within 60 s|given back|refunds what was reserved/i,
  },
  {
    query: "For how long are questions and answers kept?",
    from: /read an answer again|How long data is kept|Retention/,
    says: /RETENTION_DAYS|30/,
  },
  {
    query: "How do I run Belay with Ollama?",
    from: /model of my own/,
    says: /OpenAI-compatible endpoint|OPENAI_BASE_URL/,
  },
  {
    query: "How do I add a document?",
    from: /add documents|load and change documents|PUT .*documents/,
    says: /PUT \/(?:api\/v1\/)?admin\/documents|Adds a document/,
  },
  {
    query: "How do I get a bearer token?",
    from: /^readme › .*bearer token/,
    says: /npm run token/,
  },
  {
    query: "Which port does the server listen on, and how do I change it?",
    from: /change the port/,
    says: /--port/,
  },
  {
    query: "How is Belay deployed to Cloudflare?",
    from: /Deploy to Cloudflare|^operating/,
    says: /wrangler/,
  },
  {
    query: "How do I uninstall it?",
    from: /Uninstall/,
    says: /wrangler delete|rm -rf|uninstall Belay/,
  },
  {
    query: "Can Belay read PDF files?",
    from: /What it will not do/,
    says: /does not read PDF/,
  },
  {
    query: "How long may a question be?",
    from: /POST .*ask/,
    says: /4,?000 characters/,
  },
  {
    query: "What does QUOTA_EXCEEDED mean?",
    from: /Errors/,
    says: /QUOTA_EXCEEDED/,
  },
  {
    query: "How do I resume a stream that was dropped?",
    from: /resume a stream|connection drops|read an answer again/,
    says: /events|after|resume/i,
  },
  {
    query: "How can a user rate an answer?",
    from: /rate an answer|rate answers|feedback/,
    says: /feedback|rating|rate/i,
  },
  {
    query: "How do I give one user a higher limit?",
    from: /change a user's limit|PATCH/,
    says: /limit/,
  },
  {
    query: "How do I block a user?",
    from: /block a user|PATCH/,
    says: /blocked/,
  },
  {
    query: "How can an operator refund a query?",
    from: /give an answer back|refund/,
    says: /refund/i,
  },
  {
    query: "How do I erase everything that is kept of a user?",
    from: /erase a user|DELETE .*users/,
    says: /delete|DELETE|removes all/,
  },
  {
    query: "Where does a local server keep its data?",
    from: /Where data is kept/,
    says: /\.wrangler\/state|\.belay\/serve/,
  },
  {
    query: "Why IdentityTransformStream instead of TransformStream?",
    from: /IdentityTransformStream/,
    says: /never notice|noticed it in every version/,
  },
  {
    query: "Why are there two pings before done?",
    from: /Two pings/,
    says: /one more hop|proves nothing|whether anybody is there/i,
  },
  {
    query: "What does valibot do here, and why not zod?",
    from: /Dependencies/,
    says: /valibot/,
  },
  {
    query: "Which licence does it have?",
    from: /Licence/,
    says: /MIT/,
  },
];

const FOREIGN = [
  "What is the capital of Mongolia?",
  "How do I bake sourdough bread?",
  "Who painted the ceiling of the Sistine Chapel?",
  "Which vitamins are in broccoli?",
  "How tall is Mount Kilimanjaro?",
  "When was the Magna Carta sealed?",
  "Why do cats purr?",
  "世界上最高的山是哪座？",
  "日本の首都はどこですか。",
];

const corpus = env.CORPUS.getByName("own documents");

beforeAll(async () => {
  for (const [path, text] of Object.entries(documents)) {
    const id = path.replace(/^.*\/|\.md$/g, "").toLowerCase();
    await put(id, /^# (.+)$/m.exec(text)?.[1] ?? id, text);
  }
});

async function put(id: string, title: string, text: string): Promise<void> {
  const response = await corpus.fetch(`https://belay.test/api/v1/admin/documents/${id}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ title, text }),
  });
  expect(response.status).toBe(201);
}

async function ask(query: string) {
  const events = answer(
    {
      query,
      topK: 5,
      maxTokens: 1_024,
      temperature: undefined,
      history: [],
      onDisconnect: "cancel",
    },
    new FullTextRetriever(corpus),
    new ExtractiveGenerator({ tokensPerSecond: 0 }),
    new AbortController().signal,
  );
  let sources: readonly Source[] = [];
  let text = "";
  for await (const event of events) {
    if (event.type === "token") text += event.token;
    else sources = event.sources;
  }
  return { sources, text, refused: !/\[\d+\]$/.test(text) };
}

function firstCited(sources: readonly Source[], text: string): string | undefined {
  const [, first] = /\[(\d+)\]/.exec(text) ?? [];
  return sources.find(({ n }) => n === Number(first))?.documentId;
}

describe("the project's own documents", () => {
  it("answer at least 85 in 100 of what their readers ask", async () => {
    const failed: string[] = [];
    for (const { query, from, says } of QUESTIONS) {
      const { sources, text } = await ask(query);
      const places = sources
        .filter(({ n }) => text.includes(`[${n}]`))
        .map(({ documentId, heading }) => [documentId, ...heading].join(" › "));
      const isRight = places.some((place) => from.test(place)) && says.test(text);
      if (!isRight) failed.push([query, ...places, text].join("\n"));
    }
    const share = 1 - failed.length / QUESTIONS.length;
    expect(share, failed.join("\n\n")).toBeGreaterThanOrEqual(0.85);
  });

  // What a server prints, and README, for a newcomer to paste.
  it.each([
    ["When am I charged for an answer?", /charged once for an answer that arrives whole/i],
    ["What happens when I leave before the answer ends?", /you are not charged/i],
  ])("answer out of README: %s", async (query, says) => {
    const { sources, text } = await ask(query);
    expect(text).toMatch(says);
    expect(firstCited(sources, text)).toBe("readme");
  });

  it("do not crowd out one that is added, though README asks the same of it", async () => {
    await put("opening-hours", "Opening hours", "We are open from 9 to 17 h on weekdays.");
    const { sources, text } = await ask("When are you open?");
    expect(firstCited(sources, text)).toBe("opening-hours");
    expect(text).not.toContain("curl");
  });

  it("have nothing to say on what they are not about, but for 1 in 8 such questions", async () => {
    const answered: string[] = [];
    for (const query of FOREIGN) {
      const { text, refused } = await ask(query);
      if (!refused) answered.push(`${query}\n${text}`);
    }
    expect(answered.length / FOREIGN.length, answered.join("\n\n")).toBeLessThanOrEqual(1 / 8);
  });
});
