// The element's texts in German.

import { de as shared } from "../../words/de.ts";
import type { ElementWords } from "./en.ts";

export const words: ElementWords = {
  ...shared,
  label: "Die Dokumentation fragen",
  greeting: "Was möchten Sie wissen?",
  promise: "Die Antworten stammen aus den Dokumenten und nennen ihre Quellen.",
  examples: "Beispiele",
  clear: "Neues Gespräch",
  toEnd: "Zum Ende",
  conversation: "Fragen und Antworten",
  loading: "Das Gespräch wird geladen …",
  left: (remaining, limit) => `Noch ${remaining} von ${limit} Antworten`,
  usedUp: (renewal) => `Ihr Kontingent ist aufgebraucht. ${renewal}`,
  offline: "Sie sind offline. Neue Fragen werden beantwortet, sobald Sie online sind.",
  empty: "Es gibt noch keine Dokumente. Sie können fragen, sobald welche da sind.",
  refusals: {
    UNAVAILABLE: "Der Dienst ist nicht erreichbar. Versuchen Sie es gleich noch einmal.",
    UNAUTHENTICATED: "Melden Sie sich an, um hier zu fragen.",
    ORIGIN_NOT_LISTED: "Auf dieser Seite können keine Fragen gestellt werden.",
  },
};
