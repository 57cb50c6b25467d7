// Files become documents: chosen, or dropped on the form.

import { element, icon } from "../element.ts";
import { type Api, documentPath } from "./api.ts";
import { messageOf } from "./area.ts";
import { count } from "./format.ts";
import { named } from "./names.ts";
import { documentOf, ENDINGS } from "./new-document.ts";

/** The form. `onDone` is called when documents were stored. */
export function uploadForm(api: Api, collection: string, onDone: () => void): HTMLElement {
  const input = element("input", {
    ...{ type: "file", accept: ENDINGS.join(","), multiple: true, class: "unseen" },
  });
  const results = element("ul", { class: "results", "aria-live": "polite" });
  const zone = element(
    "label",
    { class: "drop" },
    input,
    icon("upload"),
    element("span", {}, "Choose files of Markdown or text, or drop them here"),
  );
  let isBusy = false;
  const upload = async (files: readonly File[]) => {
    if (isBusy || files.length === 0) return;
    isBusy = true;
    input.disabled = true;
    results.replaceChildren();
    let stored = 0;
    for (const file of files) {
      const line = element("li", {}, named(file.name), ": sending…");
      results.append(line);
      if (await put(api, collection, file, line)) stored += 1;
    }
    input.disabled = false;
    input.value = "";
    isBusy = false;
    if (stored > 0) onDone();
  };
  input.addEventListener("change", () => upload([...(input.files ?? [])]));
  for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
    zone.addEventListener(type, (event) => {
      event.preventDefault();
      zone.classList.toggle("over", type === "dragenter" || type === "dragover");
    });
  }
  zone.addEventListener("drop", ({ dataTransfer }) => upload([...(dataTransfer?.files ?? [])]));
  return element("div", { class: "upload" }, zone, results);
}

/** Returns whether it is stored. The line says what became of it. */
async function put(api: Api, collection: string, file: File, line: HTMLElement): Promise<boolean> {
  const say = (kind: string, words: string) => {
    line.replaceChildren(named(file.name), `: ${words}`);
    line.className = kind;
  };
  try {
    const content = new Uint8Array(await file.arrayBuffer());
    const { id, ...body } = documentOf(file.name, content);
    const stored = await api.send<{ passages: number }>("PUT", documentPath(collection, id), body);
    say("good", `stored, ${count(stored.passages, "passage")}.`);
    return true;
  } catch (thrown) {
    say("bad", messageOf(thrown));
    return false;
  }
}
