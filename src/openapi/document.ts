// The OpenAPI 3.1 document of all surfaces, made of the schemas that check
// requests. scripts/page.ts makes it before the Worker is bundled: this code is
// in no bundle.

import { type ConversionConfig, toJsonSchema, toJsonSchemaDefs } from "@valibot/to-json-schema";
import type * as v from "valibot";
import type { ErrorCode } from "../protocol.ts";
import { budget } from "./budget.ts";
import { collections } from "./collections.ts";
import { directory } from "./directory.ts";
import { documentFiles } from "./document-files.ts";
import { headerComponents, headerRefs } from "./headers.ts";
import { mcp } from "./mcp.ts";
import { openAiChat } from "./openai-chat.ts";
import { openAiResponses } from "./openai-responses.ts";
import type { Body, JsonSchema, Operation, Parameter, Part, Reply, Shape } from "./operation.ts";
import { documents, users } from "./operators.ts";
import { readers } from "./readers.ts";
import { codesOf, refusalResponse } from "./refusals.ts";
import { service } from "./service.ts";
import { uiMessage } from "./ui-message.ts";

/** The part of each surface. */
const PARTS = [
  readers,
  openAiChat,
  openAiResponses,
  uiMessage,
  mcp,
  users,
  directory,
  budget,
  documents,
  documentFiles,
  collections,
  service,
];

export interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly [member: string]: unknown;
}

const ABOUT = `Answers drawn from documents. A user is charged only for an answer that arrives whole.

- The body of a request is JSON in UTF-8, except files of limits and documents.
- Skip unknown members of responses.
- Each \`GET\` route also takes \`HEAD\`.
- If a query parameter is repeated, the first counts. Unknown ones are ignored.`;

const SECURITY = {
  everybody: [],
  readers: [{ bearer: [] }, { session: [] }],
  users: [{ bearer: [] }],
  operators: [{ bearer: [] }],
} as const;

export function openApi(): OpenApi {
  const parts = PARTS.map((part) => part());
  const refusals = new Refusals();
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const part of parts) {
    for (const operation of part.operations) {
      const { method, path } = placeOf(operation);
      paths[path] = { ...paths[path], [method]: operationObject(operation, part, refusals) };
    }
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Belay",
      version: "1",
      description: ABOUT,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "The deployment that this document comes from." }],
    tags: parts.map(({ tag, about }) => ({ name: tag, description: about })),
    paths,
    components: {
      schemas: schemas(Object.assign({}, ...parts.map(({ shapes }) => shapes))),
      responses: refusals.components,
      headers: headerComponents(),
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description:
            "`sub` names the user. Operators' tokens have the scope or role `operator`. Readers' routes also take the token that `startSession` gives a page of a listed origin.",
        },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-belay",
          description:
            "A page of this origin, where the deployment allows it. `startSession` or the first ask sets it. Without HTTPS its name is `belay`.",
        },
      },
    },
  };
}

/** The method and the path of an operation, as OpenAPI writes them. */
export function placeOf({ route }: Pick<Operation, "route">): { method: string; path: string } {
  const [method = "", path = ""] = route.split(" ");
  return { method: method.toLowerCase(), path: path.replaceAll(/:(\w+)/g, "{$1}") };
}

function operationObject(operation: Operation, part: Part, refusals: Refusals): JsonSchema {
  const { id, summary, about, callers, startsSession = false, parameters, body } = operation;
  const { replies } = operation;
  const responses = Object.entries(replies).map(([status, reply]) => [status, response(reply)]);
  const streams = Object.values(replies).some(({ events }) => events !== undefined);
  const refused = Array.from(codesOf(operation), ([status, codes]) => [
    status,
    refusals.add(codes, part.refusal ?? "Error", { streams, startsSession }),
  ]);
  return {
    operationId: id,
    tags: [part.tag],
    summary,
    ...(about !== undefined && { description: about }),
    security: SECURITY[callers],
    ...(parameters !== undefined && { parameters: parameters.map(parameterObject) }),
    ...(body !== undefined && { requestBody: bodyObject(body) }),
    responses: Object.fromEntries([...responses, ...refused]),
  };
}

function parameterObject({ about, ...rest }: Parameter): JsonSchema {
  return { ...rest, description: about, ...(rest.in === "path" && { required: true }) };
}

function bodyObject(body: Body): JsonSchema {
  const named = Object.entries(body.examples).map(([name, value]) => [name, { value }]);
  const schema = "shape" in body ? ref(body.shape) : { type: "string" };
  const type = "shape" in body ? JSON_TYPE : body.type;
  return { required: true, content: { [type]: { schema, examples: Object.fromEntries(named) } } };
}

function response({ about, headers, json, events, lines, text }: Reply): JsonSchema {
  const content = {
    ...(json !== undefined && { "application/json": { schema: ref(json) } }),
    ...(events !== undefined && { "text/event-stream": { schema: ref(events) } }),
    ...(lines !== undefined && { "application/x-ndjson": { schema: ref(lines) } }),
    ...(text !== undefined && {
      "text/plain": { schema: { type: "string" }, example: text },
    }),
  };
  return {
    description: about,
    ...(headers !== undefined && { headers: headerRefs(headers) }),
    ...(Object.keys(content).length > 0 && { content }),
  };
}

/** The responses that carry errors, each written once. */
class Refusals {
  readonly components: Record<string, JsonSchema> = {};

  /** A reference to the response that carries one of these codes. */
  add(
    codes: readonly ErrorCode[],
    shape: string,
    { streams, startsSession }: { readonly streams: boolean; readonly startsSession: boolean },
  ): JsonSchema {
    const isOurs = shape === "Error";
    const name = [
      ...(isOurs ? [] : [shape]),
      codes.join("_OR_"),
      ...(isOurs && streams ? ["STREAMED"] : []),
      ...(startsSession ? ["WITH_SESSION"] : []),
    ].join("_");
    this.components[name] ??= refusalResponse(codes, {
      schema: refusalSchema(codes, shape),
      types: isOurs && streams ? [JSON_TYPE, "text/event-stream"] : [typeOf(shape)],
      headers: startsSession ? ["Set-Cookie"] : [],
    });
    return { $ref: `#/components/responses/${name}` };
  }
}

const JSON_TYPE = "application/json";

function typeOf(shape: string): string {
  return shape === "text" ? "text/plain" : JSON_TYPE;
}

function refusalSchema(codes: readonly ErrorCode[], shape: string): JsonSchema {
  if (shape === "text") return { type: "string" };
  if (shape !== "Error") return ref(shape);
  return { allOf: [ref(shape), { properties: { code: { enum: codes } } }] };
}

function ref(shape: string): { $ref: string } {
  return { $ref: `#/components/schemas/${shape}` };
}

const CONVERSION: ConversionConfig = {
  // What a client sends: before defaults and transformations.
  typeMode: "input",
  target: "draft-2020-12",
  overrideRef: ({ referenceId }) => ref(referenceId).$ref,
  // JSON Schema has no words for these rules.
  ignoreActions: ["check", "trim"],
  overrideSchema: ({ valibotSchema, jsonSchema }) => {
    switch (valibotSchema.type) {
      case "custom":
        // Its values are in the metadata beside it.
        return {};
      case "lazy":
        return { anyOf: choices(valibotSchema as v.LazySchema<v.GenericSchema>) };
      case "loose_object":
        return { ...jsonSchema, additionalProperties: true };
      default:
        return undefined;
    }
  },
};

/** The schemas of a text and of a list, between which a lazy schema chooses. */
function choices({ getter }: v.LazySchema<v.GenericSchema>): JsonSchema[] {
  return ["", []].map((value) => {
    const { $schema: _, $defs: __, ...schema } = toJsonSchema(getter(value), CONVERSION);
    return schema;
  });
}

function schemas(shapes: Readonly<Record<string, Shape>>): Record<string, JsonSchema> {
  const definitions = Object.fromEntries(
    Object.entries(shapes).map(([name, { schema }]) => [name, schema]),
  );
  const converted = toJsonSchemaDefs(definitions, CONVERSION);
  return Object.fromEntries(
    Object.entries(shapes).map(([name, { about, members = {} }]) => [
      name,
      { description: about, ...withMembers(converted[name] as JsonSchema, members) },
    ]),
  );
}

function withMembers(schema: JsonSchema, members: Readonly<Record<string, string>>): JsonSchema {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  if (properties.length === 0) return schema;
  const described = properties.map(([name, { default: byDefault, ...property }]) => {
    // In words alone: a member with a `default` is no longer optional in the
    // types that openapi-typescript generates.
    const value = byDefault === undefined ? "" : ` By default \`${JSON.stringify(byDefault)}\`.`;
    return [name, { description: `${members[name]}${value}`, ...property }];
  });
  return { ...schema, properties: Object.fromEntries(described) };
}
