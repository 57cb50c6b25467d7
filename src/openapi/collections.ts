// The collections of documents, and the documents of one: the same operations
// as those of `default`.

import { CollectionBody } from "../corpus/document-body.ts";
import { COLLECTIONS_LISTED } from "../protocol.ts";
import * as bodies from "./bodies.ts";
import {
  type Operation,
  type Parameter,
  type Part,
  STRICT,
  shape,
  wholeNumberSchema,
} from "./operation.ts";
import { documents } from "./operators.ts";

const collection: Parameter = {
  name: "collection",
  in: "path",
  about: "The name of the collection.",
  schema: { type: "string", pattern: "^[a-z0-9-]{1,64}$" },
  example: "handbook",
};

export function collections(): Part {
  return {
    tag: "Collections",
    about: `Groups of documents, of which callers may read some. A collection begins with its first document. ${STRICT}`,
    shapes: {
      CollectionBody: shape(CollectionBody, "A collection's new name.", {
        name: "1 to 64 lower-case letters, digits and hyphens.",
      }),
      Collection: shape(bodies.collection, "A collection.", {
        name: "Its name.",
        documents: "The number of its documents.",
        passages: "The number of pieces that they were cut into.",
      }),
      CollectionPage: shape(bodies.collectionPage, "A page of collections.", {
        collections: "In the order of their names. `default` is always among them.",
        after: "Send it as `after` for the next page; `null` on the last.",
      }),
      DeletedCollection: shape(bodies.deletedCollection, "A collection that is gone.", {
        name: "Its name.",
        deleted: "Always true.",
      }),
    },
    operations: [
      {
        route: "GET /api/v1/admin/collections",
        id: "listCollections",
        summary: "List collections",
        callers: "operators",
        parameters: [
          {
            name: "limit",
            in: "query",
            about: "The number of collections.",
            schema: wholeNumberSchema(COLLECTIONS_LISTED),
            example: 10,
          },
          {
            name: "after",
            in: "query",
            about: "`after` of the page before.",
            schema: { type: "string" },
            example: "default",
          },
        ],
        replies: { 200: { about: "The collections.", json: "CollectionPage" } },
      },
      {
        route: "PATCH /api/v1/admin/collections/:collection",
        id: "renameCollection",
        summary: "Rename a collection",
        about: "Within two seconds no ask finds it by the old name. `default` keeps its name.",
        callers: "operators",
        parameters: [collection],
        body: { shape: "CollectionBody", examples: { renamed: { name: "handbook-2026" } } },
        replies: { 200: { about: "The collection.", json: "Collection" } },
        errors: ["NOT_FOUND"],
      },
      {
        route: "DELETE /api/v1/admin/collections/:collection",
        id: "deleteCollection",
        summary: "Delete a collection with its documents",
        about: "No search finds them from then on. `default` cannot be deleted.",
        callers: "operators",
        parameters: [collection],
        replies: { 200: { about: "It is gone.", json: "DeletedCollection" } },
        errors: ["NOT_FOUND"],
      },
      ...documents().operations.map(inCollection),
    ],
  };
}

/** An operation on the documents of `default`, for another collection. */
function inCollection({ route, id, parameters = [], ...operation }: Operation): Operation {
  return {
    ...operation,
    route: route.replace("/admin/", "/admin/collections/:collection/"),
    id: `${id}InCollection`,
    parameters: [collection, ...parameters],
    errors: [...new Set([...(operation.errors ?? []), "NOT_FOUND" as const])],
  };
}
