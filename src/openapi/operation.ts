// What a surface says about itself: its routes, and the shapes of its bodies.
// document.ts makes the OpenAPI document of it.

import type * as v from "valibot";
import type { ErrorCode } from "../protocol.ts";
import type { HeaderName } from "./headers.ts";

/** The description of one surface. */
export interface Part {
  /** The group of its operations, and what the group is for. */
  readonly tag: string;
  readonly about: string;
  /** Under the names that the document gives them. */
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly operations: readonly Operation[];
  /** The shape of every refusal as JSON, or `text`. By default our own. */
  readonly refusal?: string;
}

export interface Shape {
  readonly schema: v.GenericSchema;
  readonly about: string;
  /** What each member is. */
  readonly members?: Readonly<Record<string, string>>;
}

export interface Operation {
  /** As edge.ts has it: `GET /api/v1/ai/queries/:id`. */
  readonly route: string;
  /** What generated clients call it. */
  readonly id: string;
  readonly summary: string;
  readonly about?: string;
  /** Who may call it: users by bearer token, readers also by cookie. */
  readonly callers: "everybody" | "readers" | "users" | "operators";
  /** Whether a page's first request of this kind starts its session. */
  readonly startsSession?: boolean;
  readonly parameters?: readonly Parameter[];
  readonly body?: Body;
  readonly replies: Readonly<Record<number, Reply>>;
  /** Its own, besides those of all routes of its kind. */
  readonly errors?: readonly ErrorCode[];
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly about: string;
  readonly schema: JsonSchema;
  readonly example?: string | number | boolean;
}

export type Body = {
  /** The tests send them. */
  readonly examples: Readonly<Record<string, unknown>>;
} & ({ readonly shape: string } | { readonly type: "text/csv" | "application/x-ndjson" });

/** A response without an error. */
export interface Reply {
  readonly about: string;
  readonly headers?: readonly HeaderName[];
  /** The shape of a JSON body. */
  readonly json?: string;
  /** The shape of each event of an event stream. */
  readonly events?: string;
  /** The shape of each line of JSON. */
  readonly lines?: string;
  /** An example of a body of plain text. */
  readonly text?: string;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

type Entries = { readonly entries: Readonly<Record<string, unknown>> };

/** In the description of a group of routes whose bodies are strict. */
export const STRICT = "An unknown member of a body is refused.";

/** A shape of which every member is described. */
export function shape<const Schema extends v.GenericSchema & Entries>(
  schema: Schema,
  about: string,
  members: Readonly<Record<keyof Schema["entries"] & string, string>>,
): Shape {
  return { schema, about, members };
}

export function wholeNumberSchema(range: {
  readonly byDefault: number;
  readonly min: number;
  readonly max: number;
}): JsonSchema {
  const { byDefault, min, max } = range;
  return { type: "integer", minimum: min, maximum: max, default: byDefault };
}
