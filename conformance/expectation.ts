// What is expected of a deployment, and how a row says that it is not so. Nothing here asks anything.

import * as v from "valibot";

/** The deployment did something other than it promises. */
export class Mismatch extends Error {}

/** This deployment gives no opportunity to see it. */
export class Skipped extends Error {}

export function expect(holds: unknown, otherwise: string): asserts holds {
  if (!holds) throw new Mismatch(otherwise);
}

/** Both must be the same as JSON; the order of members does not count. */
export function expectSame(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [canonical(actual), canonical(expected)];
  expect(left === right, `${what} is ${brief(left)}, expected ${brief(right)}`);
}

/** The value must have the shape, to the last member. */
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
