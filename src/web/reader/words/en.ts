// The fixed texts of the page in English. The other languages have the same members.

import { en as shared } from "../../words/en.ts";

export const en = {
  ...shared,

  // The frame.
  description: "Answers drawn from the documents, with their sources.",
  heading: "Ask the documents",
  toQuestion: "To the question",
  toEnd: "To the end",
  log: "Questions and answers",
  newQuestion: "New question",

  // Before the first question.
  greeting: "What would you like to know?",
  whole: "You are charged only for answers that arrive whole.",
  quotes: "Answers are quoted word for word from the documents. No language model writes them.",
  model: "A language model writes the answers from the documents. Check them against the sources.",
  examples: "Examples",
  topics: "Topics in the documents",
  noDocuments: "There are no documents yet",
  noDocumentsHint: "You can ask when the first ones have been added.",

  // The quota.
  questionsLeft: "Questions left",
  left: (remaining: string, limit: string) => `${remaining} of ${limit} left`,
  renews: (time: string) => `renews ${time}`,
  usedUp: "Your quota is used up",

  // The history.
  history: "Your questions",
  historyEmpty: "Nothing yet. Your questions are kept here. Reading an answer again is free.",
  find: "Search your questions",
  noneFound: "No question or answer has these words.",
  today: "Today",
  yesterday: "Yesterday",
  showMore: "Show more",
  delete: "Delete",
  deleteThis: (question: string) => `Delete: ${question}`,
  deleteAsk: "Delete this question and its answer?",
  keep: "Keep",
  deleted: "Deleted.",
  notDeleted: "It could not be deleted. Try again.",
  /** Why an answer was not charged. */
  refunded: {
    disconnected: "left, not charged",
    cancelled: "stopped, not charged",
    nothing_found: "nothing found, not charged",
    failed: "failed, not charged",
    expired: "broke off, not charged",
    operator: "refunded",
  },
  charged: "charged as one answer; reading it again is free",
  notWhole: "This answer did not arrive whole. It was not charged and not kept.",
  notYours: "This link opens only for the reader who asked, and this answer is not among yours.",

  // The connection.
  offline:
    "You are offline. What you see stays here. New questions are answered when you are online.",
  unreachable: "The service cannot be reached just now.",
  tryAgain: "Try again",
  cookies: "Your browser blocks cookies. Allow them for this site to ask here.",

  // Signing in.
  signIn: "Sign in",
  signInFirst: "Sign in to ask questions here.",
  haveToken: "I have an access token",
  token: "Access token",
  tokenHint:
    "Paste the token that you were given. It stays in this tab until you sign out or close it.",
  tokenRefused: "This token is not accepted. It may have expired, or a part of it is missing.",
  expired: "Your access has expired. Sign in again. What you typed is kept.",
  signOut: "Sign out",
};
