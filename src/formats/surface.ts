// A surface: the form in which clients of one API ask. It reads a body into an
// ask, and its format writes the answer.

import type { Ask } from "../protocol.ts";
import type { Format } from "./format.ts";

/** What a body asks for. */
export interface Asked {
  readonly ask: Ask;
  readonly format: Format;
  /** The query whose turns come before those of the body. */
  readonly previous?: string | undefined;
  /** The client retrieves the answer later. */
  readonly later?: boolean;
  /** The chat's id, to resume an answer that is being written. */
  readonly chat?: string | undefined;
  /** Another answer, even if this was answered a moment ago. */
  readonly again?: boolean | undefined;
}

export interface Surface {
  /**
   * Throws INVALID_REQUEST, and NOT_FOUND for an unknown model or collection.
   * @param readable The collections that the caller may read.
   */
  read(body: unknown, readable: readonly string[]): Asked;
}
