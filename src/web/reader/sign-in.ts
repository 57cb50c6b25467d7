// The place to sign in: the operator's link, and a field for a pasted token.

import { byId } from "../element.ts";
import { forget } from "./kept.ts";
import type { Session } from "./session.ts";
import type { PageWords } from "./words/page-words.ts";

export class SignIn {
  readonly #root = byId("sign-in", HTMLElement);
  readonly #why = byId("sign-in-why", HTMLElement);
  readonly #own = byId("own-token", HTMLDetailsElement);
  readonly #input = byId("token", HTMLInputElement);
  readonly #note = byId("token-note", HTMLElement);
  readonly #session: Session;
  readonly #words: PageWords;
  readonly #onSignedIn: () => void;
  #busy = false;

  /** @param address Where the operator lets readers sign in, if anywhere. */
  constructor(
    session: Session,
    words: PageWords,
    address: string | undefined,
    onSignedIn: () => void,
  ) {
    this.#session = session;
    this.#words = words;
    this.#onSignedIn = onSignedIn;
    const link = byId("sign-in-link", HTMLAnchorElement);
    link.hidden = address === undefined;
    if (address !== undefined) link.href = address;
    this.#own.open = address === undefined;
    // Without a link there is nothing else to choose.
    this.#own.classList.toggle("only", address === undefined);
    byId("token-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    byId("sign-out", HTMLElement).addEventListener("click", () => {
      session.signOut();
      forget();
      location.replace(location.pathname);
    });
  }

  /** Shows or hides it, as the session needs. Returns whether it is shown. */
  update(): boolean {
    const { needsSignIn, signedIn, reason } = this.#session;
    document.body.classList.toggle("signed-out", needsSignIn);
    this.#root.hidden = !needsSignIn;
    this.#why.textContent = reason;
    byId("sign-out", HTMLElement).hidden = !signedIn;
    return needsSignIn;
  }

  async #submit(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#say("");
    try {
      if (await this.#session.signIn(this.#input.value)) {
        this.#input.value = "";
        this.#say(this.#words.tokenHint);
        this.#onSignedIn();
      } else {
        this.#say(this.#words.tokenRefused, true);
        this.#input.select();
      }
    } catch {
      this.#say(this.#words.unreachable, true);
    }
    this.#busy = false;
  }

  #say(words: string, refused = false): void {
    this.#note.textContent = words;
    this.#note.classList.toggle("refused", refused);
    this.#input.ariaInvalid = String(refused);
  }
}
