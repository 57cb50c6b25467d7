// The beginning of an answer. It is held back while it may be a thought
// without an opening tag. The templates of R1 and similar models put
// `<think>` into the prompt, so that the model sends only `</think>`.
// docs/decisions.md tells why, and what it costs.

import { isVisible } from "../text/visible.ts";

/** Verbs of a user in thoughts, but not in documents about users. */
const ASKS =
  "asks|asked|is asking|wants|wanted|would like|is looking|has asked|just asked|says|said";
/**
 * Beginnings of such thoughts, rare in answers. White space counts as
 * one blank, and case matters only after a first letter A.
 */
const OPENINGS = [
  "Okay|OK,|Ok,|Alright|All right|Hmm|Hm,|Mmm|Wait,|Wait.|Got it|Let me |Let's |Let us |Thinking about",
  "Thinking:|Thinking.|Thinking Process|Thought:|Thoughts:|Thought process|Here's a thinking|Here's my th",
  "Here is my th|Analysis:|Analyzing|Reasoning:|**Analyz|**Think|1. **Analyze|## Think|Now I |Now, I ",
  "Now let |Now, let |First I |First, I |First, let |First, the user|So I |So, I |So we |So the user",
  "So, the user|The question asks|The question is|The query asks|The query is|We need |We have to ",
  "We should |We must |We are asked|We're asked|We are given|I need to |I have to |I should |I must ",
  "I'll |I will |I'm asked|I am asked|I'm supposed|I'm going to |I think |To answer this|To answer the",
  "Looking at the|My task is|In order to answer|This is a question|This question|Sure, let me|Right, |Well, |Oh, |The user's question|The user's query|The user query|The user question",
  ...["The user", "User", "The person", "The human", "The asker"].flatMap((who) =>
    ASKS.split("|").map((asks) => `${who} ${asks}`),
  ),
  "好的|好，|好吧|嗯|用户问|用户想|用户询|用户的问题|用户提|用户在|用戶問|用戶想|首先，我|首先，用户|让我|讓我|我需要|我们需要",
  "我們需要|我得|我应该|现在我|这个问题问|まず、ユーザー|ユーザーの質問|ユーザーは、|ユーザーが知り|えっと|ええと|うーん",
  "Gut,|Also,|Der Nutzer fragt|Der Nutzer möchte|Der Nutzer will|Der Benutzer fragt|Der Benutzer möchte",
  "Ich muss |Ich soll|Lass mich|D'accord|L'utilisateur demande|L'utilisateur veut|Bien,|Je dois |Vale,",
  "El usuario pregunta|El usuario quiere|Necesito |Хорошо|Пользователь спрашивает|Пользователь хочет|Итак, ",
]
  .flatMap((openings) => openings.split("|"))
  .flatMap((opening) => (opening.startsWith("A") ? [opening] : [opening, opening.toLowerCase()]));

/**
 * Names of open models whose templates open a thought. Models of
 * providers that hide thoughts are left out: their answers would only
 * be late.
 */
const THINKERS =
  /(?:^|[^a-z0-9])(?:r1|qwq|z1|or1|magistral|exaone-deep|phi-4[a-z-]*-reasoning|qwen3[\w.-]*-thinking|openthinker\d?)(?:$|[^a-z0-9])/i;

/** Leading white space that is shown with the answer. The rest is dropped. */
const BLANK_LENGTH_MAX = 1024;
/** UTF-16 units held back. A longer text is a thought, or no answer of ours. */
const HELD_LENGTH_MAX = 64 * 1024;
const MODELS_MAX = 100;

/**
 * Models that have ended a thought without opening it, in this isolate.
 * An answer without a thought removes its model.
 */
const unopened = new Set<string>();

export class Beginning {
  readonly #model: string;
  readonly #isThinker: boolean;
  #held: string[] = [];
  #heldLength = 0;
  #state: "blank" | "held" | "lost" | "open" = "blank";
  /** Thoughts are marked, or sent apart: unmarked text is no thought. */
  #isMarked = false;

  /** `name`: the server's name of the model. `address`: that of the server. */
  constructor({ name, address }: { readonly name: string; readonly address: string }) {
    this.#model = `${address} ${name}`;
    this.#isThinker = THINKERS.test(name) || unopened.has(this.#model);
  }

  /** Takes a text, and returns the texts to show now. */
  add(text: string): readonly string[] {
    switch (this.#state) {
      case "open":
        return [text];
      case "lost":
        return [];
      case "held":
        this.#hold(text);
        this.#bound();
        return [];
      case "blank": {
        if (this.#heldLength > BLANK_LENGTH_MAX && !isVisible(text)) return [];
        this.#hold(text);
        const shown = this.#decide(false);
        this.#bound();
        return shown;
      }
    }
  }

  /**
   * Thoughts are marked. Returns the texts to show now, without blanks
   * before a thought.
   */
  mark(): readonly string[] {
    this.#isMarked = true;
    if (this.#state !== "blank") return [];
    const shown = this.#decide(false);
    if (this.#state === "blank") this.#release();
    return shown;
  }

  /** A thought ended that nothing opened: drops the text before it. */
  discard(): void {
    this.#release();
    this.#state = "blank";
    this.#isMarked = true;
  }

  /** `discard` came too late. The next answer of this model is held back. */
  remember(): void {
    if (unopened.size >= MODELS_MAX) unopened.clear();
    unopened.add(this.#model);
  }

  /**
   * Returns the texts to show at the end of an answer; undefined if it
   * is only a thought, cut or too long to hold.
   */
  end(isCut: boolean): readonly string[] | undefined {
    if (this.#state === "blank") return this.#decide(true);
    if (this.#state === "lost") return undefined;
    if (this.#state === "open") return [];
    unopened.delete(this.#model);
    return isCut ? undefined : this.#release();
  }

  #decide(isLast: boolean): readonly string[] {
    if (!isLast && !this.#held.some(isVisible)) return [];
    if (!this.#isMarked && !isLast) {
      if (this.#isThinker) {
        this.#state = "held";
        return [];
      }
      const beginning = this.#held.join("").trimStart().replace(/\s+/g, " ").replace(/’/g, "'");
      if (OPENINGS.some((opening) => beginning.startsWith(opening))) {
        this.#state = "held";
        return [];
      }
      if (OPENINGS.some((opening) => opening.startsWith(beginning))) return [];
    }
    this.#state = "open";
    const shown = this.#release();
    if (!this.#isMarked) return shown;
    // Blanks between a thought and the answer are dropped.
    const [first = "", ...rest] = shown.slice(shown.findIndex(isVisible));
    return [first.trimStart(), ...rest];
  }

  #hold(text: string): void {
    this.#held.push(text);
    this.#heldLength += text.length;
  }

  #bound(): void {
    if (this.#heldLength <= HELD_LENGTH_MAX) return;
    this.#release();
    this.#state = "lost";
  }

  #release(): readonly string[] {
    const held = this.#held;
    this.#held = [];
    this.#heldLength = 0;
    return held;
  }
}
