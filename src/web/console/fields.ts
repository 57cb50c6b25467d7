// The fields of forms and filters.

import { element, icon } from "../element.ts";

/** Periods of lists and of numbers, in days. */
export const PERIODS = { "7": "7 days", "30": "30 days", "90": "90 days" };
/** Lists also have no bound. Today is one of the days. */
export const LIST_PERIODS = { "1": "Today", "7": "7 days", "30": "30 days", "": "All time" };

let fields = 0;

/** The value if it is one of the choices. */
export function chosenOf(
  choices: Readonly<Record<string, string>>,
  value: string | null,
  byDefault: string,
): string {
  return value !== null && Object.hasOwn(choices, value) ? value : byDefault;
}

/** A select with its label. Values and what they are called. */
export function choice(
  label: string,
  choices: Readonly<Record<string, string>>,
  chosen: string,
  onChange: (value: string) => void,
): HTMLElement {
  const options = Object.entries(choices).map(([value, words]) =>
    element("option", { value, selected: value === chosen }, words),
  );
  const select = element("select", { "aria-label": label }, ...options);
  select.addEventListener("change", () => onChange(select.value));
  return element("span", { class: "select" }, select, icon("chevron"));
}

/** A few choices beside each other. */
export function segments(
  label: string,
  choices: Readonly<Record<string, string>>,
  chosen: string,
  onChange: (value: string) => void,
): HTMLElement {
  fields += 1;
  const name = `field-${fields}`;
  const all = Object.entries(choices).map(([value, words]) => {
    const input = element("input", { type: "radio", name, value, checked: value === chosen });
    input.addEventListener("change", () => onChange(value));
    return element("label", {}, input, element("span", {}, words));
  });
  return element("div", { class: "segments", role: "radiogroup", "aria-label": label }, ...all);
}

/** Calls back when the operator has stopped typing. */
export function searchField(
  label: string,
  value: string,
  onSearch: (words: string) => void,
): HTMLElement {
  const input = element("input", {
    type: "search",
    maxlength: "200",
    autocomplete: "off",
    dir: "auto",
    value,
    placeholder: label,
    "aria-label": label,
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = value;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const words = input.value.trim();
      if (words === last) return;
      last = words;
      onSearch(words);
    }, 250);
  });
  return element("label", { class: "search" }, icon("find"), input);
}

/** An input with its label above it. */
export function labelled(
  label: string,
  attributes: Readonly<Record<string, string | boolean | undefined>>,
): { readonly root: HTMLElement; readonly input: HTMLInputElement } {
  fields += 1;
  const id = `field-${fields}`;
  const input = element("input", { id, autocomplete: "off", ...attributes });
  return {
    root: element("div", { class: "field" }, element("label", { for: id }, label), input),
    input,
  };
}
