// What the commands say about a name that is not a variable.

import { expect, test } from "vitest";
import { misnamed } from "../../scripts/variable-names.ts";

test.each([
  ["QUOTA_LIMT", "QUOTA_LIMIT"],
  ["quota_limit", "QUOTA_LIMIT"],
  ["QUOTA-LIMIT", "QUOTA_LIMIT"],
  ["quota limit", "QUOTA_LIMIT"],
  ["quota.limit", "QUOTA_LIMIT"],
  ["quotaLimit", "QUOTA_LIMIT"],
  [" QUOTA_LIMIT", "QUOTA_LIMIT"],
  ["qutoa-limit", "QUOTA_LIMIT"],
  ["cors-origin", "CORS_ORIGINS"],
  ["openai-key", "OPENAI_API_KEY"],
  ["retention", "RETENTION_DAYS"],
])("a variable is offered for %j: %s", (name, meant) => {
  expect(misnamed(name)).toBe(`${name} is not a variable of Belay. Did you mean ${meant}?`);
});

test.each([
  ["users", "USERS", "the Durable Objects of users"],
  ["ai", "AI", "Workers AI"],
  ["session-rate", "SESSION_RATE", "the counter of new sessions"],
  ["VECTORISE", "VECTORIZE", "the index of vectors"],
])("a binding is offered for %s", (name, meant, what) => {
  expect(misnamed(name)).toBe(
    `${name} is not a variable of Belay. Did you mean ${meant}? That is a binding: ${what}. wrangler.toml declares it.`,
  );
});

test.each(["constructor", "CI", "TZ", "HOME", "PATH", "PORT", "OTHER_PROGRAM_KEY"])(
  "nothing is offered for %s",
  (name) => {
    expect(misnamed(name)).toBe(
      `${name} is not a variable of Belay. docs/configuration.md lists them all.`,
    );
  },
);
