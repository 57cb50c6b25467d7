// The Worker under test: the real one, but that a test may give one user's object variables of its
// own. src has no switch for tests.

import { type Env, UserObject as RealUserObject } from "../src/worker.ts";

export { CorpusObject, default } from "../src/worker.ts";

/** The variables of a user's object, by the user's name: set before its first request. */
export const variables = new Map<string, Record<string, string>>();

export class UserObject extends RealUserObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, { ...env, ...variables.get(ctx.id.name ?? "") });
  }
}
