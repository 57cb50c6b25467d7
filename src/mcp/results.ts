// What the tools return: text for models and people, and the same as values.

import type { CallToolResult } from "@modelcontextprotocol/server";
import type { AnswerBody, ErrorBody, Source } from "../protocol.ts";

export type FoundPassage = Omit<Source, "n" | "cited">;

export function answerResult(answer: AnswerBody): CallToolResult {
  return {
    content: [text(answer.answer), text(aboutAnswer(answer))],
    structuredContent: { ...answer },
  };
}

export function searchResult(passages: readonly FoundPassage[]): CallToolResult {
  const found = passages.map((passage, index) => listed(passage, index + 1)).join("\n\n");
  return {
    content: [text(found || "No passage fits. Use other words.")],
    structuredContent: { passages: [...passages] },
  };
}

/** A failure that the model may react to. */
export function errorResult(error: ErrorBody): CallToolResult {
  return {
    isError: true,
    content: [text(`${error.message} (${error.code})`)],
    _meta: { belay: { ...error } },
  };
}

function aboutAnswer({ sources, found, finish, queryId, quotaRemaining }: AnswerBody): string {
  const heading = found ? "Sources:" : "Nothing was found. The closest passages:";
  const lines = sources.map((source) => listed(source, source.n));
  const about = [
    ...(finish === "length" ? ["A limit cut the answer."] : []),
    `Query ${queryId}. Answers left in the quota: ${quotaRemaining}.`,
  ];
  return [...(lines.length > 0 ? [heading, ...lines] : []), about.join(" ")].join("\n\n");
}

function listed({ title, heading, url, snippet }: FoundPassage, n: number): string {
  const where = [title, ...heading].filter((part, index, all) => part !== all[index - 1]);
  return `[${n}] ${where.join(" > ")}${url === null ? "" : ` <${url}>`}\n${snippet}`;
}

function text(words: string) {
  return { type: "text" as const, text: words };
}
