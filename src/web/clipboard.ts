// A button that copies a text and shows the result.

import { button, element, icon } from "./element.ts";

const SHOWN_MS = 1_500;

/** `say` reports the result to the reader. */
export function copyButton(
  name: string,
  text: () => string,
  say: (words: string) => void,
): HTMLButtonElement {
  const copy = button(
    { class: "action", "aria-label": name },
    async () => {
      if (!(await write(text()))) {
        say("The browser refused to copy. Select the text and copy it yourself.");
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
    // No clipboard without HTTPS or permission: use the old way.
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
