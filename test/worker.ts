// The Worker under test is the real one, with two additions: a test may give
// one object its own variables and bindings, and there is a test surface.
// src has no switch for tests.

import { toServiceError } from "../src/errors.ts";
import { errorResponse } from "../src/formats/format.ts";
import {
  type Env,
  BudgetObject as RealBudgetObject,
  CopyObject as RealCopyObject,
  CorpusObject as RealCorpusObject,
  DirectoryObject as RealDirectoryObject,
  UserObject as RealUserObject,
} from "../src/worker.ts";
import { LINES, LINES_SURFACE } from "./formats/lines.ts";

export { default } from "../src/worker.ts";

/** A user's own variables and bindings, by name. Set before the first request. */
export const variables = new Map<string, Record<string, unknown>>();
/** A directory's own variables, by name. */
export const directories = new Map<string, Record<string, unknown>>();
/** A budget's own variables and bindings, by name. */
export const budgets = new Map<string, Record<string, unknown>>();
/** A corpus object's own variables and bindings, by name. */
export const corpora = new Map<string, Record<string, unknown>>();

export class UserObject extends RealUserObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, { ...env, ...variables.get(ctx.id.name ?? "") });
  }

  /** The route of the test surface. */
  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== "/lines") return super.fetch(request);
    try {
      return await this.askOn(LINES_SURFACE, request);
    } catch (thrown) {
      return errorResponse(toServiceError(thrown), LINES);
    }
  }
}

/** The names of corpus objects. */
const namesById = new Map<string, string>();

export class CorpusObject extends RealCorpusObject {
  constructor(ctx: DurableObjectState, env: Env) {
    namesById.set(ctx.id.toString(), ctx.id.name ?? "");
    super(ctx, { ...env, ...corpora.get(ctx.id.name ?? "") });
  }
}

/** With the variables of its original. */
export class CopyObject extends RealCopyObject {
  constructor(ctx: DurableObjectState, env: Env) {
    const original = ctx.id.name?.split(" of ")[1] ?? "";
    super(ctx, { ...env, ...corpora.get(namesById.get(original) ?? "") });
  }
}

export class DirectoryObject extends RealDirectoryObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, { ...env, ...directories.get(ctx.id.name ?? "") });
  }
}

export class BudgetObject extends RealBudgetObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, { ...env, ...budgets.get(ctx.id.name ?? "") });
  }
}
