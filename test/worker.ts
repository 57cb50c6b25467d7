// The Worker under test: the real one, but that a test may give one user's object, or one corpus object,
// variables and bindings of its own. src has no switch for tests.

import { toServiceError } from "../src/errors.ts";
import { errorResponse } from "../src/formats/format.ts";
import {
  type Env,
  CorpusObject as RealCorpusObject,
  UserObject as RealUserObject,
} from "../src/worker.ts";
import { LINES } from "./formats/lines.ts";

export { default } from "../src/worker.ts";

/** The variables of a user's object, by the user's name: set before its first request. */
export const variables = new Map<string, Record<string, string>>();
/** What a corpus object has in its environment, by its name. */
export const corpora = new Map<string, Record<string, unknown>>();

export class UserObject extends RealUserObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, { ...env, ...variables.get(ctx.id.name ?? "") });
  }

  /** The route of a format that only tests know. */
  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== "/lines") return super.fetch(request);
    try {
      return await this.ask(request, LINES);
    } catch (thrown) {
      return errorResponse(toServiceError(thrown), LINES);
    }
  }
}

export class CorpusObject extends RealCorpusObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, { ...env, ...corpora.get(ctx.id.name ?? "") });
  }
}
