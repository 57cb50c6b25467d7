// The field for a pasted token, and the way out.

import { byId } from "../element.ts";
import { messageOf } from "./area.ts";
import { visible } from "./names.ts";
import type { Session } from "./session.ts";

export class SignIn {
  readonly #root = byId("sign-in", HTMLElement);
  readonly #why = byId("sign-in-why", HTMLElement);
  readonly #input = byId("token", HTMLInputElement);
  readonly #note = byId("token-note", HTMLElement);
  readonly #out = byId("sign-out", HTMLButtonElement);
  readonly #outOfAccess = byId("leave-access", HTMLAnchorElement);
  readonly #operator = byId("operator", HTMLElement);
  readonly #hint = this.#note.textContent ?? "";
  readonly #session: Session;
  readonly #onChange: () => void;
  #isBusy = false;

  constructor(session: Session, onChange: () => void) {
    this.#session = session;
    this.#onChange = onChange;
    byId("token-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#out.addEventListener("click", () => {
      session.signOut();
      onChange();
      this.#input.focus();
    });
  }

  /** Shows or hides it, as the session needs. Returns whether it is shown. */
  update(): boolean {
    const { needsSignIn, usesAccess, operator, reason } = this.#session;
    this.#root.hidden = !needsSignIn;
    this.#why.textContent = reason;
    this.#out.hidden = usesAccess;
    this.#outOfAccess.hidden = !usesAccess;
    this.#operator.textContent = usesAccess ? "Cloudflare Access" : visible(operator);
    return needsSignIn;
  }

  async #submit(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#say(this.#hint, false);
    try {
      const refusal = await this.#session.signIn(this.#input.value);
      if (refusal === undefined) {
        // Nothing of it stays on the page.
        this.#input.value = "";
        this.#onChange();
      } else {
        this.#refuse(refusal);
      }
    } catch (thrown) {
      this.#refuse(messageOf(thrown));
    }
    this.#isBusy = false;
  }

  #refuse(words: string): void {
    this.#say(words, true);
    this.#input.select();
  }

  #say(words: string, isRefusal: boolean): void {
    this.#note.textContent = words;
    this.#note.classList.toggle("refused", isRefusal);
    this.#input.ariaInvalid = String(isRefusal);
  }
}
