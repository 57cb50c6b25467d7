// A surface: a form in which clients of another API ask. Its body is read
// here into an ask like any other, and its format writes the answer.

import type { Ask } from "../protocol.ts";
import type { Format } from "./format.ts";

/** What a body asks for. */
export interface Asked {
  readonly ask: Ask;
  readonly format: Format;
  /** The query whose turns come before those of the body. */
  readonly previous?: string | undefined;
  /** The client does not wait for the answer: it retrieves it later. */
  readonly later?: boolean;
  /** By which the client comes back to the answer while it is written. */
  readonly chat?: string | undefined;
  /** Another answer, even if this was answered a moment ago. */
  readonly again?: boolean | undefined;
}

export interface Surface {
  /** Throws INVALID_REQUEST, and NOT_FOUND for an unknown model. */
  read(body: unknown): Asked;
}
