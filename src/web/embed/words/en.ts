// The element's texts in English: those of every answer, and its own.

import { en as shared } from "../../words/en.ts";

export const en = {
  ...shared,
  label: "Ask the docs",
  greeting: "What would you like to know?",
  promise: "Answers come from the documents and show their sources.",
  examples: "Examples",
  clear: "New conversation",
  toEnd: "To the end",
  conversation: "Questions and answers",
  loading: "Loading the conversation…",
  left: (remaining: number, limit: number) => `${remaining} of ${limit} answers left`,
  usedUp: (renewal: string) => `Your quota is used up. ${renewal}`,
  offline: "You are offline. New questions are answered when you are online.",
  empty: "There are no documents yet. You can ask when some are added.",
  /** Why there is no session, by code. */
  refusals: {
    UNAVAILABLE: "The service could not be reached. Try again in a moment.",
    UNAUTHENTICATED: "Sign in to ask here.",
    ORIGIN_NOT_LISTED: "Questions cannot be asked on this page.",
  },
};

export type ElementWords = typeof en;
