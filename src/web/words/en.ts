// The fixed texts of an answer and its question in English. The other languages
// have the same members.

export const en = {
  lang: "en",

  // The composer.
  placeholder: "Ask a question",
  followUp: "Ask a follow-up",
  yourQuestion: "Your question",
  ask: "Ask",
  stop: "Stop",
  oneAtATime: "One answer at a time. Wait for this one, or stop it.",
  questionTooLong: (max: string) => `A question can have at most ${max} characters.`,

  // An answer while it is written.
  searching: "Searching the documents…",
  opening: "Opening the answer…",
  writing: "Writing the answer…",
  answering: "Answering.",
  resuming: "Connection lost. Resuming…",
  waitingOffline: "You are offline. The answer goes on when you are online again.",
  connectedAgain: "Connected again.",

  // An answer at its end.
  cut: "The answer was cut at its maximum length.",
  notCharged: "You were not charged.",
  readOut: (answer: string) => `The answer: ${answer}`,
  readOutLength: (words: number, _characters: number) =>
    `The answer is complete: about ${words} words.`,
  copyAnswer: "Copy the answer",
  copyCode: "Copy the code",
  copied: "Copied.",
  copyRefused: "The browser refused to copy. Select the text and copy it yourself.",
  copyLink: "Copy a link to this answer",
  linkCopied: "Link copied. It opens for you only.",
  askAgain: "Ask again",
  related: "Related questions",
  goodAnswer: "Good answer",
  badAnswer: "Bad answer",
  comment: "Comment on this answer",
  tellUsWhy: "Tell us why (optional)",
  send: "Send",
  thanks: "Thank you.",
  feedbackFailed: "Your feedback could not be sent. Try again.",

  // Its sources.
  sources: "Sources",
  sourceCount: (n: number) => (n === 1 ? "1 source" : `${n} sources`),
  moreSources: (n: number) => (n === 1 ? "1 more, not cited" : `${n} more, not cited`),
  closestPassages: "Closest passages",
  source: (n: number, title: string) => `Source ${n}: ${title}`,
  openDocument: "Open the document",
  close: "Close",

  // Why there is no answer.
  /** What the reader sees after a stop, by the receipt's state. */
  stopped: {
    refunded: "Stopped. You were not charged.",
    charged: "Stopped too late: the answer was complete. It is charged, and kept in your history.",
    reserved:
      "Stopped. Your refunds are used up, so the answer is finished, charged, and kept in your history.",
  },
  stoppedShort: "Stopped.",
  quotaUsedUp: (renewal: string) =>
    `Your quota is used up. ${renewal} You were not charged for this one.`,
  renewsAt: (time: string, wait: string) => `It renews at ${time}, ${wait}.`,
  neverRenews: "It does not renew.",
  connectionLost:
    "The connection was lost. An answer that does not arrive whole is not charged. Your history shows what happened to this one.",
  pageFault: "Something went wrong on this page. Reload it.",
  signedOut: "You are not signed in any more.",
  /** By the code of the error. */
  failures: {
    GENERATION_FAILED: "The answer broke off. You were not charged. Ask again.",
    GENERATION_TIMEOUT: "The answer took too long. You were not charged. Ask again.",
    RETRIEVAL_FAILED: "The documents could not be searched. You were not charged. Ask again.",
    UNAVAILABLE: "Answers are not available just now. You were not charged. Try again in a moment.",
    BUDGET_EXCEEDED:
      "The budget of this site is used up for now. You were not charged. Try again later.",
    TOO_MANY_STREAMS:
      "Other answers are still being written for you. Wait until they end, then ask again.",
    TOO_MANY_SESSIONS: "Many readers have just come from your network. Try again in a minute.",
    BLOCKED: "You cannot ask here at the moment. Ask the people who run this site.",
    NOT_KEPT: "This answer is not kept. You were not charged for it. Ask again.",
    NOT_FOUND: "There is no such answer, or it is not yours.",
    INVALID_REQUEST: "This question cannot be asked. Put it in other words.",
    PAYLOAD_TOO_LARGE: "This question is too long.",
  } as Readonly<Record<string, string>>,
  /** Any other error. */
  failed: "That did not work. You are charged only for answers that arrive whole. Try again.",
};
