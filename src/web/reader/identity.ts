// Who runs the page: title, greeting, and what writes the answers. The server puts
// it into the meta element, and the accent colour into a style.

import { byId } from "../element.ts";
import { safeAddress } from "../link.ts";
import type { PageWords } from "./words/page-words.ts";

export interface Identity {
  readonly title: string | null;
  readonly accent: string | null;
  readonly greeting: string | null;
  readonly signInUrl: string | null;
  /** Whether readers may ask without signing in. */
  readonly anonymous: boolean;
  readonly answers: "quotes" | "model" | null;
}

const UNKNOWN: Identity = {
  title: null,
  accent: null,
  greeting: null,
  signInUrl: null,
  anonymous: true,
  answers: null,
};

export function readIdentity(): Identity {
  const text = document.querySelector<HTMLMetaElement>('meta[name="belay"]')?.content;
  return text ? { ...UNKNOWN, ...JSON.parse(text) } : UNKNOWN;
}

export function showIdentity(identity: Identity, words: PageWords): void {
  const { title, greeting } = identity;
  if (title !== null) {
    document.title = title;
    for (const name of document.querySelectorAll("[data-title]")) name.textContent = title;
  }
  if (greeting !== null) byId("greeting", HTMLElement).textContent = greeting;
  byId("made-by", HTMLElement).textContent = [madeBy(identity, words), words.whole]
    .filter(Boolean)
    .join(" ");
}

/** Whether a model writes the answers; empty if that is not known. */
export function madeBy({ answers }: Identity, words: PageWords): string {
  return answers === null ? "" : words[answers];
}

/** Undefined if there is no address to sign in at. */
export function signInAddress({ signInUrl }: Identity): string | undefined {
  return signInUrl === null ? undefined : safeAddress(signInUrl);
}
