// Whether a text begins with the text so far, of which only a hash is
// kept. White space is ignored, since servers trim it. Pure.

import { Thoughts } from "./thoughts.ts";

/**
 * Multipliers of two 32-bit hashes. Together they rule out collisions
 * in practice.
 */
const [FIRST, SECOND] = [0x01000193, 0x85ebca6b];

export class Repetition {
  #length = 0;
  #first = 0;
  #second = 0;
  #endsBlank = true;

  add(text: string): void {
    if (text === "") return;
    for (let at = 0; at < text.length; at += 1) this.#addUnit(text.charCodeAt(at));
    this.#endsBlank = /\s$/.test(text);
  }

  restart(): void {
    this.#length = 0;
    this.#first = 0;
    this.#second = 0;
    this.#endsBlank = true;
  }

  /**
   * The part of a text after the text so far; undefined if it begins
   * otherwise. The text may contain thoughts.
   */
  restOf(whole: string): string | undefined {
    const { text, held, isUnderstood } = withoutThoughts(whole);
    if (!isUnderstood) return undefined;
    const other = new Repetition();
    let at = 0;
    while (at < text.length && other.#length < this.#length) {
      other.#addUnit(text.charCodeAt(at));
      at += 1;
    }
    if (other.#length !== this.#length) return undefined;
    if (other.#first !== this.#first || other.#second !== this.#second) return undefined;
    const rest = text.slice(at) + (at < text.length ? held : "");
    if (rest.trim() === "") return "";
    return this.#endsBlank ? rest.trimStart() : rest;
  }

  #addUnit(unit: number): void {
    if (unit <= 0x20 || unit === 0xa0) return;
    this.#length += 1;
    this.#first = Math.imul(this.#first ^ unit, FIRST);
    this.#second = Math.imul(this.#second + unit, SECOND) ^ (this.#second >>> 15);
  }
}

/** `held`: what may become a mark, as in the text so far. */
function withoutThoughts(whole: string) {
  let text = "";
  let isUnderstood = true;
  const thoughts = new Thoughts({
    onText: (part) => {
      text += part;
    },
    onThought: () => {},
    onUnopened: () => {
      text = "";
    },
    onFault: () => {
      isUnderstood = false;
    },
  });
  thoughts.read(whole);
  return { text, held: thoughts.isThinking ? "" : thoughts.held, isUnderstood };
}
