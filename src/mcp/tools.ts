// The tools as clients see them. Models read the descriptions, and choose a
// tool by them.

import type { Tool } from "@modelcontextprotocol/server";
import {
  COLLECTIONS_MAX,
  HISTORY_TURNS_MAX,
  MAX_TOKENS,
  QUERY_LENGTH_MAX,
  TOP_K,
} from "../protocol.ts";

const SOURCE = {
  id: { type: "string" },
  documentId: { type: "string" },
  collection: { type: "string", description: "That of the document, if not default." },
  title: { type: "string" },
  heading: {
    type: "array",
    items: { type: "string" },
    description: "The headings above the passage, outermost first.",
  },
  url: { type: ["string", "null"] },
  snippet: { type: "string", description: "The part of the passage that fits best." },
  score: {
    type: "number",
    minimum: 0,
    maximum: 1,
    description: "The share of the question's words that the passage has.",
  },
};

const NUMBERED_SOURCE = {
  n: { type: "integer", minimum: 1, description: "The answer cites it as [n]." },
  ...SOURCE,
  cited: { type: "boolean" },
};

/** Members of a source that are always there. */
const SOURCE_REQUIRED = Object.keys(SOURCE).filter((name) => name !== "collection");

const COLLECTIONS = {
  type: "array",
  minItems: 1,
  maxItems: COLLECTIONS_MAX,
  items: { type: "string", pattern: "^[a-z0-9-]{1,64}$" },
  description: "The collections to search. By default all that the user may read.",
};

function object(properties: NonNullable<Tool["inputSchema"]["properties"]>, required: string[]) {
  return { type: "object" as const, properties, required };
}

export const ASK: Tool = {
  name: "ask",
  title: "Ask the documents",
  description:
    "Answers a question from the documents of this deployment, and names the passages that the " +
    "answer was drawn from. A whole answer costs one unit of the user's quota. Stopping it, a " +
    "failure, and an answer that says only that nothing was found cost nothing. A model's " +
    "answer may take half a minute.",
  inputSchema: {
    ...object(
      {
        question: {
          type: "string",
          minLength: 1,
          maxLength: QUERY_LENGTH_MAX,
          description: "The question, as a person would ask it.",
        },
        topK: {
          type: "integer",
          minimum: TOP_K.min,
          maximum: TOP_K.max,
          default: TOP_K.byDefault,
          description: "The most passages to answer from.",
        },
        history: {
          type: "array",
          maxItems: HISTORY_TURNS_MAX,
          items: object(
            {
              role: { type: "string", enum: ["user", "assistant"] },
              content: { type: "string", minLength: 1 },
            },
            ["role", "content"],
          ),
          description: "Earlier turns of the conversation, which a follow-up question needs.",
        },
        maxTokens: {
          type: "integer",
          minimum: MAX_TOKENS.min,
          maximum: MAX_TOKENS.max,
          default: MAX_TOKENS.byDefault,
          description: "The longest answer, in tokens.",
        },
        collections: COLLECTIONS,
      },
      ["question"],
    ),
    additionalProperties: false,
  },
  outputSchema: object(
    {
      queryId: { type: "string", description: "Names this query in the user's query log." },
      answer: { type: "string", description: "Markdown. [n] cites the source with that number." },
      sources: {
        type: "array",
        items: object(NUMBERED_SOURCE, ["n", ...SOURCE_REQUIRED]),
      },
      finish: { type: "string", enum: ["stop", "length"], description: "length: a limit cut it." },
      found: {
        type: "boolean",
        description: "False if the answer says only that nothing was found.",
      },
      quotaRemaining: {
        type: "integer",
        minimum: 0,
        description: "How many answers the user's quota still allows.",
      },
    },
    ["queryId", "answer", "sources", "finish", "found", "quotaRemaining"],
  ),
  annotations: {
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: false,
    openWorldHint: false,
  },
};

export const SEARCH: Tool = {
  name: "search_documents",
  title: "Search the documents",
  description:
    "Finds the passages of this deployment's documents that fit a query best, without writing " +
    "an answer. It is free, and uses no model.",
  inputSchema: {
    ...object(
      {
        query: {
          type: "string",
          minLength: 1,
          maxLength: QUERY_LENGTH_MAX,
          description: "A question, or words to look for.",
        },
        limit: {
          type: "integer",
          minimum: TOP_K.min,
          maximum: TOP_K.max,
          default: TOP_K.byDefault,
          description: "The most passages to return.",
        },
        collections: COLLECTIONS,
      },
      ["query"],
    ),
    additionalProperties: false,
  },
  outputSchema: object(
    {
      passages: {
        type: "array",
        description: "Best first. Empty if nothing fits.",
        items: object(SOURCE, SOURCE_REQUIRED),
      },
    },
    ["passages"],
  ),
  annotations: { readOnlyHint: true, openWorldHint: false },
};

export const TOOLS = [ASK, SEARCH];
