// Asks before something is changed. The dialog stays open until the change is
// made, and says why it was not.

import { button, element } from "../element.ts";
import { messageOf } from "./area.ts";
import { labelled } from "./fields.ts";
import { visible } from "./names.ts";

type Words = readonly (Node | string)[];

export interface Deed {
  readonly title: Words;
  readonly words: string;
  /** What the button says. */
  readonly action: string;
  /** Whether nothing can be undone. */
  readonly isFinal?: boolean;
  /** What the operator has to type first. */
  readonly typed?: string;
  /** A value to ask for, and what it is at first. */
  readonly asks?: { readonly label: string; readonly value: string };
  /** @param value What was asked for. */
  run(value: string): Promise<void>;
}

/** How a dialog ended: a change that failed may have been made by someone else. */
export type Outcome = "done" | "tried" | "kept";

/** Opens the dialog. Resolves once it is closed. */
export function confirm(deed: Deed): Promise<Outcome> {
  const { title, words, action, isFinal = false, typed, asks, run } = deed;
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const note = element("p", { class: "note", role: "alert" });
  const field = fieldOf(typed, asks);
  const input = field?.input;
  const go = element("button", { type: "submit", class: `primary${isFinal ? " final" : ""}` });
  go.append(action);
  const keep = button({ class: "plain" }, () => dialog.requestClose(), "Cancel");
  const form = element(
    "form",
    {},
    element("h2", { id: "confirm-title" }, ...title),
    element("p", { id: "confirm-words" }, words),
    ...(field === undefined ? [] : [field.root]),
    note,
    element("div", { class: "row end" }, keep, go),
  );
  const dialog = element(
    "dialog",
    { "aria-labelledby": "confirm-title", "aria-describedby": "confirm-words" },
    form,
  );
  let outcome: Outcome = "kept";
  let isBusy = false;
  const update = () => {
    const isWrong = typed !== undefined && !isTyped(input?.value ?? "", typed);
    go.disabled = isBusy || isWrong;
    keep.disabled = isBusy;
  };
  input?.addEventListener("input", update);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    update();
    note.textContent = "";
    try {
      await run(input?.value.trim() ?? "");
      outcome = "done";
      dialog.close();
    } catch (thrown) {
      outcome = "tried";
      note.textContent = messageOf(thrown);
    }
    isBusy = false;
    update();
  });
  // A change that is under way cannot be cancelled.
  dialog.addEventListener("cancel", (event) => {
    if (isBusy) event.preventDefault();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    resolve(outcome);
  });
  document.body.append(dialog);
  update();
  dialog.showModal();
  (input ?? keep).focus();
  return promise;
}

function fieldOf(typed: Deed["typed"], asks: Deed["asks"]) {
  const plain = { type: "text", autocapitalize: "none", spellcheck: "false", dir: "auto" };
  if (asks !== undefined)
    return labelled(asks.label, { ...plain, value: asks.value, required: true });
  if (typed === undefined) return undefined;
  return labelled(`Type “${visible(typed)}” to go on.`, plain);
}

/** A name may have characters that no one can type. */
function isTyped(words: string, name: string): boolean {
  return [name.trim(), visible(name).trim()].includes(words.trim());
}
