// Die festen Texte auf Deutsch: the fixed texts in German.

import type { Words } from "./words.ts";

export const de: Words = {
  lang: "de",

  placeholder: "Stellen Sie eine Frage",
  followUp: "Nachfragen",
  yourQuestion: "Ihre Frage",
  ask: "Fragen",
  stop: "Anhalten",
  oneAtATime: "Eine Antwort nach der anderen. Warten Sie diese ab, oder halten Sie sie an.",
  questionTooLong: (max) => `Eine Frage darf höchstens ${max} Zeichen haben.`,

  searching: "Die Dokumente werden durchsucht …",
  opening: "Die Antwort wird geöffnet …",
  writing: "Die Antwort wird geschrieben …",
  answering: "Die Antwort beginnt.",
  resuming: "Verbindung unterbrochen. Sie wird wiederhergestellt …",
  waitingOffline: "Sie sind offline. Die Antwort geht weiter, sobald Sie wieder online sind.",
  connectedAgain: "Wieder verbunden.",

  cut: "Die Antwort wurde bei ihrer Höchstlänge abgeschnitten.",
  notCharged: "Ihnen wurde nichts berechnet.",
  readOut: (answer) => `Die Antwort: ${answer}`,
  readOutLength: (words) => `Die Antwort ist vollständig: etwa ${words} Wörter.`,
  copyAnswer: "Antwort kopieren",
  copyCode: "Code kopieren",
  copied: "Kopiert.",
  copyRefused:
    "Der Browser hat das Kopieren verweigert. Markieren Sie den Text und kopieren Sie ihn selbst.",
  copyLink: "Link zu dieser Antwort kopieren",
  linkCopied: "Link kopiert. Er öffnet sich nur für Sie.",
  askAgain: "Noch einmal fragen",
  related: "Verwandte Fragen",
  goodAnswer: "Gute Antwort",
  badAnswer: "Schlechte Antwort",
  comment: "Kommentar zu dieser Antwort",
  tellUsWhy: "Sagen Sie uns, warum (freiwillig)",
  send: "Senden",
  thanks: "Vielen Dank.",
  feedbackFailed: "Ihre Bewertung konnte nicht gesendet werden. Versuchen Sie es noch einmal.",

  sources: "Quellen",
  sourceCount: (n) => (n === 1 ? "1 Quelle" : `${n} Quellen`),
  moreSources: (n) => (n === 1 ? "1 weitere, nicht zitiert" : `${n} weitere, nicht zitiert`),
  closestPassages: "Ähnlichste Textstellen",
  source: (n, title) => `Quelle ${n}: ${title}`,
  openDocument: "Dokument öffnen",
  close: "Schließen",

  stopped: {
    refunded: "Angehalten. Ihnen wurde nichts berechnet.",
    charged:
      "Zu spät angehalten: Die Antwort war schon vollständig. Sie wurde berechnet und steht in Ihrem Verlauf.",
    reserved:
      "Angehalten. Ihre Erstattungen sind aufgebraucht; die Antwort wird daher zu Ende geschrieben, berechnet und in Ihrem Verlauf behalten.",
  },
  stoppedShort: "Angehalten.",
  quotaUsedUp: (renewal) =>
    `Ihr Kontingent ist aufgebraucht. ${renewal} Diese Frage wurde nicht berechnet.`,
  renewsAt: (time, wait) => `Es erneuert sich um ${time}, ${wait}.`,
  neverRenews: "Es erneuert sich nicht.",
  connectionLost:
    "Die Verbindung ist abgebrochen. Eine Antwort, die nicht vollständig ankommt, wird nicht berechnet. In Ihrem Verlauf steht, was aus dieser geworden ist.",
  pageFault: "Auf dieser Seite ist etwas schiefgegangen. Laden Sie sie neu.",
  signedOut: "Sie sind nicht mehr angemeldet.",
  failures: {
    GENERATION_FAILED:
      "Die Antwort ist abgebrochen. Ihnen wurde nichts berechnet. Fragen Sie noch einmal.",
    GENERATION_TIMEOUT:
      "Die Antwort hat zu lange gedauert. Ihnen wurde nichts berechnet. Fragen Sie noch einmal.",
    RETRIEVAL_FAILED:
      "Die Dokumente konnten nicht durchsucht werden. Ihnen wurde nichts berechnet. Fragen Sie noch einmal.",
    UNAVAILABLE:
      "Gerade sind keine Antworten möglich. Ihnen wurde nichts berechnet. Versuchen Sie es gleich noch einmal.",
    BUDGET_EXCEEDED:
      "Das Budget dieser Seite ist vorerst aufgebraucht. Ihnen wurde nichts berechnet. Versuchen Sie es später noch einmal.",
    TOO_MANY_STREAMS:
      "Andere Antworten für Sie werden noch geschrieben. Warten Sie, bis sie fertig sind, und fragen Sie dann noch einmal.",
    TOO_MANY_SESSIONS:
      "Aus Ihrem Netz sind gerade viele Leser gekommen. Versuchen Sie es in einer Minute noch einmal.",
    BLOCKED: "Sie können hier zurzeit nicht fragen. Wenden Sie sich an die Betreiber dieser Seite.",
    NOT_KEPT:
      "Diese Antwort wurde nicht aufbewahrt. Sie wurde nicht berechnet. Fragen Sie noch einmal.",
    NOT_FOUND: "Diese Antwort gibt es nicht, oder es ist nicht Ihre.",
    INVALID_REQUEST: "Diese Frage kann so nicht gestellt werden. Formulieren Sie sie anders.",
    PAYLOAD_TOO_LARGE: "Diese Frage ist zu lang.",
  },
  failed:
    "Das hat nicht geklappt. Berechnet werden nur Antworten, die vollständig ankommen. Versuchen Sie es noch einmal.",
};
