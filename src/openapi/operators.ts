// What only operators may do: users and documents.

import { DocumentBody, MoveBody } from "../corpus/document-body.ts";
import { DOCUMENTS_LISTED, QUERY_LENGTH_MAX, TOP_K } from "../protocol.ts";
import { SettingsBody } from "../user/ask.ts";
import * as bodies from "./bodies.ts";
import { type Parameter, type Part, STRICT, shape, wholeNumberSchema } from "./operation.ts";
import { queryId } from "./readers.ts";

const userId: Parameter = {
  name: "userId",
  in: "path",
  about: "`sub` of the user's bearer tokens.",
  schema: { type: "string", minLength: 1, maxLength: 128 },
  example: "alice",
};

const documentId: Parameter = {
  name: "id",
  in: "path",
  about: "Chosen by you, without control characters.",
  schema: { type: "string", minLength: 1, maxLength: 128 },
  example: "opening-hours",
};

const entry = {
  id: "Chosen by you.",
  title: "The document's title.",
  url: "Its address for readers.",
  passages: "The number of pieces that it was cut into.",
  bytes: "The size of its text in UTF-8.",
  contentHash: "The SHA-256 of that text.",
  updatedAt: "When it was last changed.",
  sample: "Only samples have it.",
};

export function users(): Part {
  return {
    tag: "Users",
    about: `What operators see and change of one user. ${STRICT}`,
    shapes: {
      SettingsBody: shape(SettingsBody, "Changes of a user's settings.", {
        limit: "Overrides the deployment's limit; `null` removes the override.",
        refundLimit: "Overrides the deployment's refund limit; `null` removes the override.",
        blocked: "Whether new asks are refused.",
      }),
      Window: shape(bodies.quotaWindow, "The counters of one window of a quota.", {
        window: "Its name, such as a day.",
        reserved: "Answers being written now.",
        charged: "Answers that were charged.",
        refunded: "Answers that cost nothing.",
        left: "Refunds for disconnecting or stopping.",
        pruned_charged: "Of `charged`, those whose rows were deleted.",
        pruned_refunded: "Of `refunded`, those whose rows were deleted.",
        pruned_left: "Of `left`, those whose rows were deleted.",
        remaining: "What the limit still allows.",
      }),
      User: shape(bodies.inspection, "One user's object.", {
        user: "The user's name.",
        limit: "The limit that holds now.",
        refundLimit: "The refund limit that holds now.",
        blocked: "Whether new asks are refused.",
        windows: "The counters of each window.",
        reservations: "The open reservations; `live` says whether an answer is being written.",
        queries: "The newest receipts.",
        alarmAt: "When the object will next look for what to refund or delete.",
        storageBytes: "The size of the object's database.",
        audit: "Whether a recount of all rows agrees with all counters.",
      }),
    },
    operations: [
      {
        route: "GET /api/v1/admin/users/:userId",
        id: "getUser",
        summary: "Show one user's object",
        callers: "operators",
        parameters: [userId],
        replies: { 200: { about: "The user.", json: "User" } },
        errors: ["NOT_FOUND"],
      },
      {
        route: "PATCH /api/v1/admin/users/:userId",
        id: "changeUser",
        summary: "Change settings of one user",
        about: "A missing member stays as it is. An unknown user is created.",
        callers: "operators",
        parameters: [userId],
        body: {
          shape: "SettingsBody",
          examples: { limit: { limit: 100, blocked: false }, removed: { limit: null } },
        },
        replies: { 200: { about: "The user.", json: "User" } },
        errors: ["NOT_FOUND"],
      },
      {
        route: "DELETE /api/v1/admin/users/:userId",
        id: "eraseUser",
        summary: "Erase a user",
        about: "Stops their answers, and removes everything stored about them.",
        callers: "operators",
        parameters: [userId],
        replies: { 204: { about: "Nothing is stored any more." } },
        errors: ["NOT_FOUND"],
      },
      {
        route: "POST /api/v1/admin/users/:userId/queries/:id/refund",
        id: "refundQuery",
        summary: "Refund one charged query",
        about: "The answer stays readable. A query that is not charged stays as it is.",
        callers: "operators",
        parameters: [userId, queryId],
        replies: { 200: { about: "The receipt.", json: "Receipt" } },
        errors: ["NOT_FOUND"],
      },
    ],
  };
}

export function documents(): Part {
  return {
    tag: "Documents",
    about: `What answers are drawn from. ${STRICT}`,
    shapes: {
      DocumentBody: shape(DocumentBody, "A document.", {
        title: "The document's title.",
        text: "Markdown or plain text, at most 1 MiB of UTF-8.",
        url: "Its address for readers: an `http` or `https` URL, or a path from `/`.",
        sample: "True for a sample. The first document without it deletes all samples.",
      }),
      Document: shape(bodies.document, "A document without its text.", entry),
      WholeDocument: shape(bodies.wholeDocument, "A document with its text.", {
        ...entry,
        text: "The text as it was sent.",
      }),
      DocumentPage: shape(bodies.documentPage, "A page of documents.", {
        documents: "In the order of their ids.",
        after: "Send it as `after` for the next page; `null` on the last.",
        vectors: "On the first page, if vectors are searched too: what waits for one.",
      }),
      FoundPassage: shape(bodies.foundPassage, "A passage that a search found.", {
        id: "The document's id, `#`, and the passage's number in it.",
        documentId: "The document that it is from.",
        collection: "That of the document; absent for `default`, and where the path names it.",
        title: "The document's title.",
        heading: "The headings above the passage, outermost first.",
        url: "Where to read on.",
        snippet: "Plain text, never HTML.",
        score: "How well the passage covers the query.",
      }),
      PassageList: shape(bodies.passageList, "What a search found.", {
        passages: "Best first.",
      }),
      DocumentsOrPassages: {
        schema: bodies.documentsOrPassages,
        about: "Passages with `search`, documents without it.",
      },
      MoveBody: shape(MoveBody, "Where a document is to be.", {
        to: "The collection, which is made if there is none.",
      }),
      MovedDocument: shape(bodies.movedDocument, "Where a document is.", {
        id: "Its id.",
        collection: "Its collection.",
      }),
      DeletedDocument: shape(bodies.deletedDocument, "A document that is gone.", {
        id: "Its id.",
        deleted: "Always true.",
      }),
    },
    operations: [
      {
        route: "GET /api/v1/admin/documents",
        id: "listDocuments",
        summary: "List documents, or try a search",
        callers: "operators",
        parameters: [
          {
            name: "limit",
            in: "query",
            about: `The number of documents; with \`search\` that of passages, at most ${TOP_K.max} and by default ${TOP_K.byDefault}.`,
            schema: wholeNumberSchema(DOCUMENTS_LISTED),
            example: 10,
          },
          {
            name: "after",
            in: "query",
            about: "`after` of the page before.",
            schema: { type: "string" },
            example: "opening-hours",
          },
          {
            name: "search",
            in: "query",
            about: "A question: shows the passages that an ask would find.",
            schema: { type: "string", minLength: 1, maxLength: QUERY_LENGTH_MAX },
            example: "When are you open?",
          },
        ],
        replies: { 200: { about: "Documents or passages.", json: "DocumentsOrPassages" } },
        errors: ["RETRIEVAL_FAILED"],
      },
      {
        route: "GET /api/v1/admin/documents/:id",
        id: "getDocument",
        summary: "One document with its text",
        callers: "operators",
        parameters: [documentId],
        replies: { 200: { about: "The document.", json: "WholeDocument" } },
        errors: ["NOT_FOUND"],
      },
      {
        route: "PUT /api/v1/admin/documents/:id",
        id: "putDocument",
        summary: "Add or replace a document",
        about: "Answers are drawn from it from then on.",
        callers: "operators",
        parameters: [documentId],
        body: {
          shape: "DocumentBody",
          examples: {
            page: {
              title: "Opening hours",
              text: "We are open from 9 to 17 h on weekdays.",
              url: "https://example.com/hours",
            },
          },
        },
        replies: {
          200: { about: "It was replaced, or was the same.", json: "Document" },
          201: { about: "It is new.", json: "Document" },
        },
        errors: ["NOT_FOUND"],
      },
      {
        route: "DELETE /api/v1/admin/documents/:id",
        id: "deleteDocument",
        summary: "Remove a document and its passages",
        about: "Answers that were drawn from it keep their sources.",
        callers: "operators",
        parameters: [documentId],
        replies: { 200: { about: "It is gone.", json: "DeletedDocument" } },
        errors: ["NOT_FOUND"],
      },
      {
        route: "POST /api/v1/admin/documents/:id/move",
        id: "moveDocument",
        summary: "Move a document to another collection",
        about: "It replaces a document that has its id there.",
        callers: "operators",
        parameters: [documentId],
        body: { shape: "MoveBody", examples: { handbook: { to: "handbook" } } },
        replies: { 200: { about: "It is there.", json: "MovedDocument" } },
        errors: ["NOT_FOUND"],
      },
    ],
  };
}
