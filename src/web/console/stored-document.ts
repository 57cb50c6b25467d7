// One document as it is stored.

import { button, element } from "../element.ts";
import { documentPath } from "./api.ts";
import { isNotFound } from "./api-error.ts";
import { Area, empty } from "./area.ts";
import type { DocumentEntry } from "./bodies.ts";
import { deleteDocument } from "./delete-document.ts";
import { bytes, time, whole } from "./format.ts";
import { named } from "./names.ts";
import { addressOf, type Place } from "./place.ts";

/** A longer text is shown to here at first. */
const SHOWN_CHARACTERS = 20_000;

export function storedDocument(place: Place, collection: string, id: string): void {
  const { api, root, controls, gone, title } = place;
  title(id);
  const remove = async () => {
    const outcome = await deleteDocument(place, collection, { id, title: id });
    if (outcome === "done") location.hash = addressOf(["documents", collection]);
    if (outcome === "tried") area.load();
  };
  const bin = button({ class: "plain bad", hidden: true }, remove, "Delete…");
  controls.append(bin);
  const area: Area<DocumentEntry | undefined> = new Area(
    (signal) =>
      api.get<DocumentEntry>(documentPath(collection, id), {}, signal).catch((thrown) => {
        if (isNotFound(thrown)) return undefined;
        throw thrown;
      }),
    (stored) => {
      bin.hidden = stored === undefined;
      return stored === undefined
        ? [empty("There is no such document. It may have been deleted.")]
        : shown(stored, collection);
    },
    gone,
  );
  root.append(area.root);
  area.load();
}

function shown(stored: DocumentEntry, collection: string): readonly Node[] {
  const facts: Readonly<Record<string, Node | string>> = {
    Title: element("bdi", {}, stored.title),
    Collection: element("a", { href: addressOf(["documents", collection]) }, collection),
    Passages: whole(stored.passages),
    Size: bytes(stored.bytes),
    Changed: time(stored.updatedAt),
    ...(stored.url !== null && { Address: named(stored.url) }),
  };
  const items = Object.entries(facts).map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value)),
  );
  return [element("dl", { class: "panel facts wide" }, ...items), textOf(stored.text ?? "")];
}

function textOf(text: string): HTMLElement {
  const shown = element("p", { class: "source", dir: "auto" }, text.slice(0, SHOWN_CHARACTERS));
  const rest = text.slice(SHOWN_CHARACTERS);
  const frame = element("section", { class: "panel", "aria-label": "Text" }, shown);
  if (rest !== "") {
    const more = button(
      { class: "quiet" },
      () => {
        shown.append(rest);
        more.remove();
      },
      `Show the other ${whole(rest.length)} characters`,
    );
    frame.append(more);
  }
  return frame;
}
