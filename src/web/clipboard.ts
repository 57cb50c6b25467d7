// A button that copies a text and shows the result.

import { button, element, icon } from "./element.ts";
import type { IconName } from "./icons.ts";
import type { Words } from "./words/words.ts";

const SHOWN_MS = 1_500;

/** `say` reports the result to the reader. */
export function copyButton(
  name: string,
  text: () => string,
  words: Pick<Words, "copied" | "copyRefused">,
  say: (words: string) => void,
  drawing: IconName = "copy",
): HTMLButtonElement {
  const copy = button(
    { class: "action", "aria-label": name },
    async () => {
      if (!(await write(text(), copy))) {
        say(words.copyRefused);
        return;
      }
      say(words.copied);
      copy.replaceChildren(icon("check"));
      setTimeout(() => copy.replaceChildren(icon(drawing)), SHOWN_MS);
    },
    icon(drawing),
  );
  return copy;
}

async function write(text: string, copy: HTMLButtonElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard without HTTPS or permission: copy a selection, as of old. Beside
    // the button it changes nothing of a page that embeds this.
    const field = element("textarea", { class: "unseen", "aria-hidden": "true" });
    field.value = text;
    copy.after(field);
    field.select();
    const isWritten = document.execCommand("copy");
    field.remove();
    copy.focus();
    return isWritten;
  }
}
