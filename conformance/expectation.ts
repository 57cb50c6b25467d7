// Expectations of a deployment, and how a row fails. Sends nothing.

import * as v from "valibot";

/** The deployment breaks its promise. */
export class Mismatch extends Error {}

/** The row cannot be checked here. */
export class Skipped extends Error {}

export function expect(holds: unknown, otherwise: string): asserts holds {
  if (!holds) throw new Mismatch(otherwise);
}

/** Both must be the same JSON, in any order of members. */
export function expectSame(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [canonical(actual), canonical(expected)];
  expect(left === right, `${what} is ${brief(left)}, expected ${brief(right)}`);
}

/** The value must have exactly this shape. */
export function expectShape<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  what: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw new Mismatch(`${what}${path === null ? "" : `.${path}`}: ${issue.message}`);
}

export function expectJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Mismatch(`${what} is not JSON`, { cause });
  }
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, part) =>
      part !== null && typeof part === "object" && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? "missing"
  );
}

function brief(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
