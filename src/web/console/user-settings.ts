// What an operator changes of a user: limit, block, erasure; and the export of what
// is stored. Each change is confirmed.

import { button, element, icon } from "../element.ts";
import { userPath } from "./api.ts";
import { messageOf } from "./area.ts";
import type { UserBody } from "./bodies.ts";
import { confirm, type Deed } from "./confirm.ts";
import { labelled } from "./fields.ts";
import { whole } from "./format.ts";
import { named } from "./names.ts";
import { addressOf, type Place } from "./place.ts";

const LIMIT_MAX = "1000000000";

export class UserSettings {
  readonly form: HTMLElement;
  readonly #place: Place;
  readonly #name: string;
  readonly #reload: () => Promise<void>;
  readonly #limit = labelled("Limit in each window", {
    ...{ type: "number", min: "0", max: LIMIT_MAX, step: "1", required: true },
  });
  readonly #chip = element("span", { class: "chip" });
  readonly #block = button({ class: "plain" }, () => this.#toggleBlock(), "Block");
  readonly #export: HTMLButtonElement;
  readonly #erase = button({ class: "plain bad" }, () => this.#eraseAll(), "Erase…");
  readonly #note = element("p", { class: "note bad", role: "alert" });
  #isBlocked = false;
  /** Whether the limit in the field is the operator's. */
  #isEdited = false;

  constructor(place: Place, name: string, reload: () => Promise<void>) {
    this.#place = place;
    this.#name = name;
    this.#reload = reload;
    this.#export = button({ class: "plain" }, () => this.#exportAll(), icon("download"), "Export");
    place.controls.append(this.#chip, this.#export, this.#block, this.#erase);
    this.form = element(
      "form",
      { class: "limit" },
      this.#limit.root,
      element(
        "div",
        { class: "row" },
        element("button", { type: "submit", class: "plain" }, "Set limit"),
        button({ class: "quiet" }, () => this.#setLimit(null), "Remove own limit"),
      ),
      this.#note,
    );
    this.#limit.input.addEventListener("input", () => {
      this.#isEdited = true;
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#setLimit(this.#limit.input.valueAsNumber);
    });
    this.#knows(false);
  }

  show({ limit, blocked }: UserBody): void {
    this.#knows(true);
    this.#isBlocked = blocked;
    this.#chip.textContent = blocked ? "blocked" : "may ask";
    this.#chip.className = `chip ${blocked ? "bad" : "good"}`;
    this.#block.textContent = blocked ? "Unblock" : "Block";
    if (!this.#isEdited) this.#limit.input.value = `${limit}`;
  }

  /** Nothing is stored. The operator may still set a limit, or block the name. */
  showNone(): void {
    this.#knows(false);
    this.#isBlocked = false;
    this.#block.textContent = "Block";
  }

  #knows(isKnown: boolean): void {
    this.#chip.hidden = !isKnown;
    this.#export.hidden = !isKnown;
    this.#erase.hidden = !isKnown;
  }

  async #exportAll(): Promise<void> {
    this.#note.textContent = "";
    this.#export.disabled = true;
    try {
      const file = await this.#place.api.file(`${userPath(this.#name)}/export`);
      keepFile(file, `${this.#name.replaceAll(/[^\p{L}\p{N}._@-]+/gu, "-")}.ndjson`);
    } catch (thrown) {
      this.#note.textContent = messageOf(thrown);
    }
    this.#export.disabled = false;
  }

  #setLimit(limit: number | null): void {
    const name = named(this.#name);
    this.#change(
      limit === null
        ? {
            title: ["Remove the own limit of ", name, "?"],
            words:
              "The limit of their bearer token, or of the deployment, holds from their next ask on.",
            action: "Remove",
          }
        : {
            title: ["Set the limit of ", name, ` to ${whole(limit)}?`],
            words: "It holds from their next ask on, instead of any other. 0 refuses all asks.",
            action: "Set limit",
          },
      { limit },
    );
  }

  #toggleBlock(): void {
    const blocked = !this.#isBlocked;
    const action = blocked ? "Block" : "Unblock";
    const words = blocked
      ? "New asks are refused. An answer that is being written goes on, and earlier answers stay readable."
      : "They may ask again at once.";
    this.#change({ title: [`${action} `, named(this.#name), "?"], words, action }, { blocked });
  }

  async #change(asked: Omit<Deed, "run">, body: object): Promise<void> {
    const outcome = await confirm({
      ...asked,
      run: async () => {
        await this.#place.api.send("PATCH", userPath(this.#name), body);
      },
    });
    if (outcome === "kept") return;
    if (outcome === "done") {
      this.#isEdited = false;
      this.#place.announce("Saved.");
    }
    await this.#reload().catch(() => {});
  }

  async #eraseAll(): Promise<void> {
    const outcome = await confirm({
      title: ["Erase ", named(this.#name), "?"],
      words:
        "Answers that are being written stop. All that is stored of this user is deleted, here and in the lists. It cannot be undone.",
      action: "Erase",
      isFinal: true,
      typed: this.#name,
      run: async () => {
        await this.#place.api.send("DELETE", userPath(this.#name));
      },
    });
    if (outcome === "tried") await this.#reload().catch(() => {});
    if (outcome !== "done") return;
    location.hash = addressOf(["users"]);
    this.#place.announce("The user is erased.");
  }
}

function keepFile(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  element("a", { href: address, download: name }).click();
  // The browser reads it a moment later.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
