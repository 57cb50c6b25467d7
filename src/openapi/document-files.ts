// All documents as a file.

import * as bodies from "./bodies.ts";
import { type Parameter, type Part, shape } from "./operation.ts";

const collection: Parameter = {
  name: "collection",
  in: "query",
  about: "The collection; `default` if left out.",
  schema: { type: "string" },
  example: "default",
};

export function documentFiles(): Part {
  return {
    tag: "Files of documents",
    about: "All documents as a file, to keep a copy or to load it into another deployment.",
    shapes: {
      ExportedDocument: shape(bodies.exportedDocument, "A document as it was sent, with its id.", {
        id: "Chosen by you.",
        title: "The document's title.",
        url: "Its address for readers.",
        sample: "Only samples have it.",
        text: "The text as it was sent.",
      }),
      Imported: shape(bodies.imported, "What became of a file of documents.", {
        imported: "The documents that were added, replaced, or were the same.",
        refused: "The lines that were not, with the reason.",
        next: "The line from which the rest is to be sent; `null` if there is none.",
      }),
    },
    operations: [
      {
        route: "GET /api/v1/admin/export",
        id: "exportDocuments",
        summary: "Export all documents",
        about: "Send the file to `importDocuments` to load it.",
        callers: "operators",
        parameters: [collection],
        replies: { 200: { about: "A document on each line.", lines: "ExportedDocument" } },
        errors: ["NOT_FOUND"],
      },
      {
        route: "POST /api/v1/admin/import",
        id: "importDocuments",
        summary: "Add or replace many documents",
        about:
          "A JSON value on each line: a document as `putDocument` takes it, with its `id`. At most 900 are read at once.",
        callers: "operators",
        parameters: [
          collection,
          {
            name: "from",
            in: "query",
            about: "The first line that counts: `next` of the response before.",
            schema: { type: "integer", minimum: 1, default: 1 },
            example: 1,
          },
        ],
        body: {
          type: "application/x-ndjson",
          examples: {
            file: '{"id":"opening-hours","title":"Opening hours","text":"We are open from 9 to 17 h."}\n',
          },
        },
        replies: { 200: { about: "What became of each line.", json: "Imported" } },
        errors: ["NOT_FOUND"],
      },
    ],
  };
}
