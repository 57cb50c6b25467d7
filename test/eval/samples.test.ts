// How well the samples answer newcomers: with the real corpus object, search and
// pipeline, and without a model. The tests require shares rather than single
// answers, so that the samples may be reworded.

import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { ExtractiveGenerator } from "../../src/generators/extractive.ts";
import type { Source } from "../../src/protocol.ts";
import { FullTextRetriever } from "../../src/retrievers/full-text.ts";
import { answer } from "../support/answer.ts";
import { Progress } from "../support/progress.ts";

const samples = import.meta.glob<string>("../../samples/*.md", {
  query: "?raw",
  import: "default",
  eager: true,
});

interface Question {
  readonly query: string;
  /** A passage that the answer must cite: its document and headings. */
  readonly from: RegExp;
  /** Any of these must be in the answer. */
  readonly says: RegExp;
}

const QUESTIONS: readonly Question[] = [
  {
    query: "When am I charged for an answer?",
    from: /^charges › When/,
    says: /never charged for an answer that did not arrive|charged .* once/i,
  },
  {
    query: "Do I pay if I close the browser before the answer is complete?",
    from: /^charges › .*disconnect/,
    says: /do not pay|given back|no difference/i,
  },
  {
    query: "How can I stop an answer that is being written?",
    from: /^charges › .*stop/,
    says: /cancel|close the connection/i,
  },
  {
    query: "I pressed stop. Does that count against my limit?",
    from: /^charges › .*stop/,
    says: /refunded/i,
  },
  {
    query: "The connection broke in the middle. Was I billed?",
    from: /^(?:charges › |programs › )/,
    says: /do not pay|free|receipt/i,
  },
  {
    query: "What does an answer cost when nothing is found?",
    from: /^charges › .*nothing is found/,
    says: /as much as any other/i,
  },
  {
    query: "What happens to my quota when the model fails?",
    from: /^charges › .*model fails/,
    says: /do not pay|given back/i,
  },
  {
    query: "The server crashed in the middle of my answer. What now?",
    from: /^charges › .*server crashes/,
    says: /within 60 seconds|do not pay/i,
  },
  {
    query: "Does it cost anything to look at an old answer?",
    from: /^charges › .*again/,
    says: /costs nothing/i,
  },
  {
    query: "How many questions can I ask per day?",
    from: /^limits › /,
    says: /20 answers per day/i,
  },
  {
    query: "When does my limit reset?",
    from: /^limits › /,
    says: /00:00 UTC|until the window ends/i,
  },
  {
    query: "What is a refund allowance?",
    from: /^limits › .*refund allowance/,
    says: /number of refunds/i,
  },
  {
    query: "How long may a question be?",
    from: /^limits › .*question/,
    says: /4,000 characters/i,
  },
  {
    query: "Is there a maximum length for questions?",
    from: /^limits › .*length/,
    says: /4,000 characters/i,
  },
  {
    query: "How do I make answers longer?",
    from: /^limits › .*longer/,
    says: /maxTokens/i,
  },
  {
    query: "For how long are questions and answers kept?",
    from: /^limits › .*kept/,
    says: /30 days/i,
  },
  {
    query: "How long do you keep my data?",
    from: /^(?:limits › .*kept|operating › .*erase)/,
    says: /30 days|removed/i,
  },
  {
    query: "How do I run Belay with Ollama?",
    from: /^models › .*Ollama/,
    says: /three variables/i,
  },
  {
    query: "How do I run Belay with a local LLM?",
    from: /^models › .*LLM/,
    says: /three variables/i,
  },
  {
    query: "Do I need an OpenAI account?",
    from: /^models › .*need/,
    says: /need no model/i,
  },
  {
    query: "Does it work with llama3.2?",
    from: /^models › /,
    says: /OPENAI_MODEL|variables|Ollama/i,
  },
  {
    query: "Where does the OpenAI key go?",
    from: /^models › .*key/,
    says: /\.dev\.vars/i,
  },
  {
    query: "How do I add a document?",
    from: /^(?:documents › .*(add|load))/,
    says: /PUT \/api|npm run ingest/i,
  },
  {
    query: "How can I upload a whole folder of Markdown files?",
    from: /^documents › .*load/,
    says: /uploads every/i,
  },
  {
    query: "Can Belay read PDF files?",
    from: /^documents › .*formats/,
    says: /Belay reads .*PDF/i,
  },
  {
    query: "Will my documents be mixed with the samples?",
    from: /^documents › .*samples/,
    says: /replaced/i,
  },
  {
    query: "How do I remove a document?",
    from: /^documents › .*remove/,
    says: /DELETE/i,
  },
  {
    query: "Does it support embeddings or semantic search?",
    from: /^documents › .*semantic/,
    says: /hybrid/i,
  },
  {
    query: "How do I get a bearer token?",
    from: /^programs › .*bearer token/,
    says: /npm run token/i,
  },
  {
    query: "How can I use Belay from Node?",
    from: /^programs › .*JavaScript/,
    says: /belay\/client/i,
  },
  {
    query: "What is the curl command to ask something?",
    from: /^programs › .*curl/,
    says: /POST \/api\/v1\/ai\/ask|curl -N/i,
  },
  {
    query: "How do I retry a request without being charged twice?",
    from: /^programs › .*retry/,
    says: /Idempotency-Key/i,
  },
  {
    query: "How do I continue a stream that was dropped?",
    from: /^programs › .*resume/,
    says: /events\?after/i,
  },
  {
    query: "How does Belay remember the conversation?",
    from: /^(?:programs › .*follow-up|about › .*scope)/,
    says: /history|earlier turns/i,
  },
  {
    query: "Can visitors ask without logging in?",
    from: /^readers › .*signing in/,
    says: /ANONYMOUS_LIMIT/i,
  },
  {
    query: "Do you store IP addresses?",
    from: /^readers › .*addresses/,
    says: /stored|hash/i,
  },
  {
    query: "Which port does the server listen on, and how do I change it?",
    from: /^running › .*port/,
    says: /--port/i,
  },
  {
    query: "How is Belay deployed to Cloudflare?",
    from: /^running › .*Cloudflare/,
    says: /wrangler/i,
  },
  {
    query: "Can I self-host it without Cloudflare?",
    from: /^running › .*without Cloudflare/,
    says: /npm run serve/i,
  },
  {
    query: "How do I uninstall it?",
    from: /^running › .*uninstall/,
    says: /wrangler delete|rm -rf|delete its folder/i,
  },
  {
    query: "Where does a local server keep its data?",
    from: /^running › .*keep its data/,
    says: /\.wrangler\/state|\.belay\/serve/i,
  },
  {
    query: "How do I update to a new version?",
    from: /^running › .*update/,
    says: /git pull/i,
  },
  {
    query: "How do I give one user a higher limit?",
    from: /^operating › .*limit/,
    says: /PATCH/i,
  },
  {
    query: "How do I ban a user?",
    from: /^operating › .*block/,
    says: /blocked/i,
  },
  {
    query: "How can an operator refund a query?",
    from: /^operating › .*refund/,
    says: /refund/i,
  },
  {
    query: "How do I erase everything that is kept of a user?",
    from: /^operating › .*erase/,
    says: /DELETE|deleted/i,
  },
  {
    query: "How can a user rate an answer?",
    from: /^operating › .*rate/,
    says: /thumbs|feedback/i,
  },
  {
    query: "What does QUOTA_EXCEEDED mean?",
    from: /^troubleshooting › .*QUOTA_EXCEEDED/,
    says: /used up/i,
  },
  {
    query: "What does error 429 mean?",
    from: /^(?:troubleshooting › .*429|limits › )/,
    says: /429/i,
  },
  {
    query: "Why do I get a 401?",
    from: /^troubleshooting › .*UNAUTHENTICATED/,
    says: /bearer token/i,
  },
  {
    query: "Why is the answer not streamed but arrives at the end?",
    from: /^troubleshooting › .*all at once/,
    says: /buffer|stream=true/i,
  },
  {
    query: "Why can my web page not call the API from another domain?",
    from: /^(?:troubleshooting › .*domain|readers › .*site)/,
    says: /CORS_ORIGINS/i,
  },
  {
    query: "What is this service about?",
    from: /^about › .*Belay/,
    says: /answers questions/i,
  },
  {
    query: "Which licence does it have?",
    from: /^about › .*licence/,
    says: /MIT/i,
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

const corpus = env.CORPUS.getByName("samples");

beforeAll(async () => {
  for (const [path, text] of Object.entries(samples)) {
    await put(nameOf(path), titleOf(text), text);
  }
});

/** `charges` for `../../samples/charges.md`. */
function nameOf(path: string): string {
  return path.replace(/^.*\/|\.md$/g, "");
}

function titleOf(text: string): string {
  return /^# (.+)$/m.exec(text)?.[1] ?? "";
}

async function put(id: string, title: string, text: string): Promise<void> {
  const response = await corpus.fetch(`https://belay.test/api/v1/admin/documents/${id}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ title, text, sample: true }),
  });
  expect(response.status).toBe(201);
}

async function ask(query: string) {
  const progress = new Progress();
  await answer(
    {
      query,
      topK: 5,
      maxTokens: 1_024,
      temperature: undefined,
      history: [],
      onDisconnect: "cancel",
      collections: ["default"],
    },
    {
      retriever: new FullTextRetriever(corpus),
      generator: new ExtractiveGenerator({ tokensPerSecond: 0 }),
      rewriter: undefined,
    },
    progress,
    new AbortController().signal,
  );
  const { sources } = progress;
  const text = progress.tokens.join("");
  return { sources, text, refused: !/\[\d+\]$/.test(text) };
}

function firstCited({ sources, text }: Awaited<ReturnType<typeof ask>>): Source | undefined {
  const [, first] = /\[(\d+)\]/.exec(text) ?? [];
  return sources.find(({ n }) => n === Number(first));
}

describe("the samples", () => {
  it("answer at least 9 in 10 questions that newcomers ask in their own words", async () => {
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
    expect(share, failed.join("\n\n")).toBeGreaterThanOrEqual(0.9);
  });

  it("answer at least 19 in 20 of their headings first from the section below", async () => {
    const failed: string[] = [];
    let count = 0;
    for (const text of Object.values(samples)) {
      for (const [, query = "", section = ""] of text.matchAll(/^## (.+)\n\n(.+)/gm)) {
        count += 1;
        const answer = await ask(query);
        const cited = firstCited(answer);
        const [sentence = ""] = section.split(/(?<=[.:]) /);
        const quoted = answer.text.startsWith(sentence.replaceAll("`", "").slice(0, 40));
        if (cited?.heading.at(-1) !== query || !quoted)
          failed.push(`${query}\n${cited?.heading}\n${answer.text}`);
      }
    }
    expect(1 - failed.length / count, failed.join("\n\n")).toBeGreaterThanOrEqual(0.95);
  });

  it("have nothing to say about other subjects, in at least 8 of 9 questions", async () => {
    const answered: string[] = [];
    for (const query of FOREIGN) {
      const { text, refused } = await ask(query);
      if (!refused) answered.push(`${query}\n${text}`);
    }
    expect(answered.length / FOREIGN.length, answered.join("\n\n")).toBeLessThanOrEqual(1 / 8);
  });
});
