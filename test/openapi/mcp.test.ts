// The MCP tools return the bodies that the OpenAPI document describes.

import { beforeAll, expect, it } from "vitest";
import { ASK, SEARCH } from "../../src/mcp/tools.ts";
import type { JsonSchema } from "../../src/openapi/operation.ts";
import { fetchApi } from "../harness.ts";
import type { Document } from "./conforming.ts";

let schemas: Document["components"]["schemas"];

beforeAll(async () => {
  const document = await (await fetchApi("/api/v1/openapi.json")).json<Document>();
  schemas = document.components.schemas;
});

it("the tool ask returns an answer with its sources", () => {
  expect(rules(ASK.outputSchema)).toEqual(rules(schemas.Answer));
});

it("the tool search_documents returns a list of passages", () => {
  expect(rules(SEARCH.outputSchema)).toEqual(rules(schemas.PassageList));
});

/**
 * The rules of a schema, without its words: references are followed, and what
 * can be written in several ways is written in one.
 */
function rules(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(rules);
  if (typeof schema !== "object" || schema === null) return schema;
  const { description: _, $ref, required, anyOf, properties, ...rest } = schema as JsonSchema;
  if (typeof $ref === "string") return rules(schemas[$ref.split("/").at(-1) ?? ""]);
  return {
    ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, rules(value)])),
    ...(Array.isArray(anyOf) && { type: anyOf.map(({ type }) => type) }),
    ...(Array.isArray(required) && { required: [...required].sort() }),
    ...(properties !== undefined && { properties: membersOf(properties as JsonSchema) }),
  };
}

/** A member may be called `description`. */
function membersOf(properties: JsonSchema): JsonSchema {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, rules(value)]),
  );
}
