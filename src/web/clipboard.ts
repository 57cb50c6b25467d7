// A button that copies a text, and shows that it did.

import { button, element, icon } from "./element.ts";

const SHOWN_MS = 1_500;

/** `say` tells the reader whether it worked. */
export function copyButton(
  name: string,
  text: () => string,
  say: (words: string) => void,
): HTMLButtonElement {
  const copy = button(
    { class: "action", "aria-label": name },
    async () => {
      if (!(await write(text()))) {
        say("The browser did not let it be copied. Mark the text and copy it yourself.");
        return;
      }
      say("Copied.");
      copy.replaceChildren(icon("check"));
      setTimeout(() => copy.replaceChildren(icon("copy")), SHOWN_MS);
    },
    icon("copy"),
  );
  return copy;
}

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without HTTPS a page has no clipboard, and a browser may refuse one:
    // then the old way is used.
    return writeBySelection(text);
  }
}

function writeBySelection(text: string): boolean {
  const focused = document.activeElement;
  const field = element("textarea", { class: "unseen", "aria-hidden": "true" });
  field.value = text;
  document.body.append(field);
  field.select();
  const written = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return written;
}
