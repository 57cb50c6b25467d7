// The style sheet that all elements of the page share.

import css from "./element.css";

export const sheet = new CSSStyleSheet();
let text = css;
sheet.replaceSync(text);

/** Adds to what every element has. */
export function addStyles(more: string): void {
  text += more;
  sheet.replaceSync(text);
}
