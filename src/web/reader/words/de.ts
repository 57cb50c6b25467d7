// The fixed texts of the page in German.

import { de as shared } from "../../words/de.ts";
import type { PageWords } from "./page-words.ts";

export const de: PageWords = {
  ...shared,

  description: "Antworten aus den Dokumenten, mit ihren Quellen.",
  heading: "Die Dokumente befragen",
  toQuestion: "Zur Frage",
  toEnd: "Zum Ende",
  log: "Fragen und Antworten",
  newQuestion: "Neue Frage",

  greeting: "Was möchten Sie wissen?",
  whole: "Berechnet werden nur Antworten, die vollständig ankommen.",
  quotes: "Die Antworten sind wörtlich aus den Dokumenten zitiert. Kein Sprachmodell schreibt sie.",
  model:
    "Ein Sprachmodell schreibt die Antworten anhand der Dokumente. Prüfen Sie sie an den Quellen.",
  examples: "Beispiele",
  topics: "Themen der Dokumente",
  noDocuments: "Noch gibt es keine Dokumente",
  noDocumentsHint: "Sobald die ersten da sind, können Sie fragen.",

  questionsLeft: "Verbleibende Fragen",
  left: (remaining, limit) => `noch ${remaining} von ${limit}`,
  renews: (time) => `erneuert ${time}`,
  usedUp: "Ihr Kontingent ist aufgebraucht",

  history: "Ihre Fragen",
  historyEmpty:
    "Noch nichts. Hier finden Sie Ihre Fragen wieder. Eine Antwort noch einmal zu lesen ist kostenlos.",
  find: "Ihre Fragen durchsuchen",
  noneFound: "Keine Frage oder Antwort enthält diese Wörter.",
  today: "Heute",
  yesterday: "Gestern",
  showMore: "Mehr anzeigen",
  delete: "Löschen",
  deleteThis: (question) => `Löschen: ${question}`,
  deleteAsk: "Diese Frage und ihre Antwort löschen?",
  keep: "Behalten",
  deleted: "Gelöscht.",
  notDeleted: "Das Löschen ist nicht gelungen. Versuchen Sie es noch einmal.",
  refunded: {
    disconnected: "verlassen, nicht berechnet",
    cancelled: "angehalten, nicht berechnet",
    nothing_found: "nichts gefunden, nicht berechnet",
    failed: "fehlgeschlagen, nicht berechnet",
    expired: "abgebrochen, nicht berechnet",
    operator: "erstattet",
  },
  charged: "als eine Antwort berechnet; noch einmal lesen ist kostenlos",
  notWhole:
    "Diese Antwort ist nicht vollständig angekommen. Sie wurde nicht berechnet und nicht aufbewahrt.",
  notYours:
    "Dieser Link öffnet sich nur für die Person, die gefragt hat, und diese Antwort ist nicht unter Ihren.",

  offline:
    "Sie sind offline. Was Sie sehen, bleibt hier. Neue Fragen werden beantwortet, sobald Sie online sind.",
  unreachable: "Der Dienst ist gerade nicht erreichbar.",
  tryAgain: "Noch einmal versuchen",
  cookies: "Ihr Browser blockiert Cookies. Erlauben Sie sie für diese Seite, um hier zu fragen.",

  signIn: "Anmelden",
  signInFirst: "Melden Sie sich an, um hier zu fragen.",
  haveToken: "Ich habe ein Zugangstoken",
  token: "Zugangstoken",
  tokenHint:
    "Fügen Sie das Token ein, das Sie bekommen haben. Es bleibt in diesem Tab, bis Sie sich abmelden oder ihn schließen.",
  tokenRefused:
    "Dieses Token wird nicht angenommen. Vielleicht ist es abgelaufen, oder ein Teil davon fehlt.",
  expired: "Ihr Zugang ist abgelaufen. Melden Sie sich wieder an. Was Sie getippt haben, bleibt.",
  signOut: "Abmelden",
};
