// The documents of a collection: the list, a search as an ask would make it, and
// upload.

import { QUERY_LENGTH_MAX } from "../../protocol.ts";
import { button, element, icon } from "../element.ts";
import { type Api, documentsPath } from "./api.ts";
import { orNone } from "./api-error.ts";
import { Area, empty } from "./area.ts";
import type { DocumentEntry, Passage } from "./bodies.ts";
import { collectionControls, DEFAULT } from "./collections.ts";
import { deleteDocument } from "./delete-document.ts";
import { labelled } from "./fields.ts";
import { bytes, score, time } from "./format.ts";
import { named, visible, written } from "./names.ts";
import { Pages } from "./pages.ts";
import { addressOf, type Place } from "./place.ts";
import { Table } from "./table.ts";
import { uploadForm } from "./upload.ts";

const COLUMNS = [
  { title: "Document" },
  { title: "Passages", isNumber: true, isMinor: true },
  { title: "Size", isNumber: true, isMinor: true },
  { title: "Changed" },
  { title: "Delete" },
];
const FOUND = "5";

export function documents(place: Place): void {
  const collection = place.names[0] ?? DEFAULT;
  if (place.names.length > 0) place.title(collection);
  const collections = collectionControls(place, collection);
  const pages = list(place, collection, () => void collections.load());
  const reload = () => {
    pages.load();
    collections.load();
  };
  place.controls.append(collections.root);
  place.root.append(
    element(
      "div",
      { class: "columns" },
      element("section", { "aria-label": "Documents" }, pages.root),
      element(
        "div",
        { class: "side" },
        panel("Try a search", searchForm(place, collection)),
        panel("Add documents", uploadForm(place.api, collection, reload)),
      ),
    ),
  );
  reload();
}

function panel(title: string, content: HTMLElement): HTMLElement {
  return element("section", { class: "panel" }, element("h2", {}, title), content);
}

function list(place: Place, collection: string, onDelete: () => void): Pages<DocumentEntry> {
  const { api, gone } = place;
  const table = new Table("Documents", COLUMNS);
  const pages = new Pages<DocumentEntry>(
    {
      async load(after, signal) {
        const page = await api
          .get<{ documents: DocumentEntry[]; after: string | null }>(
            documentsPath(collection),
            { after },
            signal,
          )
          .catch(orNone({ documents: [], after: null }));
        return { items: page.documents, next: page.after };
      },
      show: (entry) =>
        shown(entry, collection, table, async () => {
          if ((await deleteDocument(place, collection, entry)) === "kept") return;
          await pages.load();
          onDelete();
        }),
      holder: table.body,
      frame: table.frame,
      none: "This collection has no documents yet. Add some here, or run npm run ingest.",
    },
    gone,
  );
  return pages;
}

function shown(
  entry: DocumentEntry,
  collection: string,
  table: Table,
  remove: () => void,
): HTMLElement {
  const { id, title, passages, updatedAt, sample } = entry;
  const address = addressOf(["documents", collection, id]);
  const marks = sample ? [" ", element("span", { class: "chip" }, "sample")] : [];
  const name = `Delete ${visible(title)}`;
  return table.row(
    element(
      "span",
      { class: "name" },
      element("a", { href: address, dir: "auto" }, visible(title)),
      ...marks,
      element("small", { class: "faint" }, named(id)),
    ),
    passages,
    bytes(entry.bytes),
    time(updatedAt),
    button({ class: "action", "aria-label": name, title: "Delete" }, remove, icon("bin")),
  );
}

function searchForm({ api, gone, filters, keep }: Place, collection: string): HTMLElement {
  const { root, input } = labelled("A question, as a reader asks it", {
    type: "search",
    maxlength: `${QUERY_LENGTH_MAX}`,
    required: true,
    dir: "auto",
    value: filters.get("search") ?? "",
  });
  const found = new Area(
    (signal) => foundIn(api, collection, input.value, signal),
    results(collection),
    gone,
  );
  const form = element(
    "form",
    {},
    root,
    element("button", { type: "submit", class: "plain" }, "Search"),
  );
  const search = () => {
    if (input.value.trim() !== "") found.load();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keep({ search: input.value.trim() });
    search();
  });
  search();
  return element("div", { class: "preview" }, form, found.root);
}

async function foundIn(
  api: Api,
  collection: string,
  question: string,
  signal: AbortSignal,
): Promise<readonly Passage[]> {
  const body = await api
    .get<{ passages: Passage[] }>(
      documentsPath(collection),
      { search: question.trim(), limit: FOUND },
      signal,
    )
    .catch(orNone({ passages: [] }));
  return body.passages;
}

function results(collection: string): (passages: readonly Passage[]) => readonly Node[] {
  return (passages) => [
    passages.length === 0
      ? empty("No passage is found. An ask would answer that nothing was found.")
      : element("ol", { class: "passages" }, ...passages.map((one) => passage(one, collection))),
  ];
}

function passage(found: Passage, collection: string): HTMLElement {
  const { title, heading, documentId, snippet, score: value } = found;
  const address = addressOf(["documents", collection, documentId]);
  const place =
    heading.length === 0
      ? []
      : [element("small", { class: "faint", dir: "auto" }, heading.join(" › "))];
  return element(
    "li",
    {},
    element(
      "p",
      { class: "heading" },
      element("a", { href: address, dir: "auto" }, visible(title)),
      element("span", { class: "chip", title: "Score" }, score(value)),
    ),
    ...place,
    written(snippet, "text"),
  );
}
