// Holds real responses to the OpenAPI document: an undocumented status, type
// or member is a fault.

import { Validator } from "@cfworker/json-schema";
import type { JsonSchema } from "../../src/openapi/operation.ts";
import { eventOf } from "../support/event-stream.ts";

interface MediaType {
  readonly schema: JsonSchema;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
interface Reply {
  readonly description: string;
  readonly headers?: Readonly<Record<string, JsonSchema>>;
  readonly content?: Readonly<Record<string, MediaType>>;
}
export interface OperationObject {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly security: readonly JsonSchema[];
  readonly parameters?: readonly (JsonSchema & {
    readonly name: string;
    readonly in: string;
    readonly schema: JsonSchema;
    readonly example?: unknown;
  })[];
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, JsonSchema>>;
}
export interface Document {
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly responses: Readonly<Record<string, Reply>>;
    readonly headers: Readonly<Record<string, JsonSchema>>;
  };
}

/** Headers that say nothing of the API: of HTTP, caches, proxies and CORS. */
const PLAIN_HEADERS =
  /^(?:content-|cache-control|vary|x-content-type-options|x-accel-buffering|etag|date|connection|access-control-)/;

export class Conforming {
  readonly document: Document;

  constructor(document: Document) {
    this.document = document;
  }

  /** The description of a route, as edge.ts writes it. */
  operation(route: string): OperationObject | undefined {
    const [method = "", path = ""] = route.split(" ");
    return this.document.paths[path.replaceAll(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];
  }

  /** What a value has against the schema; none if it fits. */
  faults(schema: JsonSchema, value: unknown): string[] {
    return faultsIn({ ...schema, components: this.document.components }, value);
  }

  /** And what it has that the schema does not name. */
  #allFaults(schema: JsonSchema, value: unknown): string[] {
    return faultsIn(closed({ ...schema, components: this.document.components }), value);
  }

  /** What a response has against the description of its route. */
  async faultsOf(route: string, response: Response): Promise<string[]> {
    const documented = this.operation(route)?.responses[response.status];
    if (documented === undefined) {
      return [`${response.status} is not described: ${await response.text()}`];
    }
    const { headers = {}, content = {} } = this.#reply(documented);
    const strange = [...response.headers.keys()].filter(
      (name) => !PLAIN_HEADERS.test(name) && !Object.keys(headers).some(sameName(name)),
    );
    return [
      ...strange.map((name) => `The header ${name} is not described.`),
      ...(await this.#faultsOfBody(content, response)),
    ];
  }

  /** The status and type of each response without an error. */
  successesOf(route: string): string[] {
    return Object.entries(this.operation(route)?.responses ?? {})
      .filter(([status]) => status.startsWith("2"))
      .flatMap(([status, documented]) => {
        const types = Object.keys(this.#reply(documented).content ?? {});
        return types.length === 0 ? [status] : types.map((type) => `${status} ${type}`);
      });
  }

  #reply(documented: JsonSchema): Reply {
    const { $ref } = documented as { $ref?: string };
    const name = $ref?.slice("#/components/responses/".length);
    return name === undefined
      ? (documented as unknown as Reply)
      : (this.document.components.responses[name] as Reply);
  }

  async #faultsOfBody(content: NonNullable<Reply["content"]>, response: Response) {
    const text = await response.text();
    const [type = ""] = (response.headers.get("content-type") ?? "").split(";");
    const schema = content[type]?.schema;
    if (Object.keys(content).length === 0) return text === "" ? [] : [`There is a body: ${text}`];
    if (schema === undefined) return [`The type ${type} is not described.`];
    switch (type) {
      case "text/event-stream":
        return text
          .split("\n\n")
          .slice(0, -1)
          .map((frame) => frame.replace(/^event: \w[\w.]*\n/, ""))
          .filter((frame) => frame !== "data: [DONE]" && !frame.startsWith(":"))
          .flatMap((frame) => this.#allFaults(schema, eventOf(frame)));
      case "application/x-ndjson":
        return text
          .split("\n")
          .slice(0, -1)
          .flatMap((line) => this.#allFaults(schema, JSON.parse(line)));
      case "text/plain":
        return this.#allFaults(schema, text);
      default:
        return this.#allFaults(schema, JSON.parse(text));
    }
  }
}

function faultsIn(schema: JsonSchema, value: unknown): string[] {
  const { valid, errors } = new Validator(schema, "2020-12").validate(value);
  return valid ? [] : errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
}

function sameName(name: string): (other: string) => boolean {
  return (other) => other.toLowerCase() === name;
}

/** The schema, which takes no member that it does not name. */
function closed(schema: unknown): JsonSchema {
  if (Array.isArray(schema)) return schema.map(closed) as unknown as JsonSchema;
  if (typeof schema !== "object" || schema === null) return schema as unknown as JsonSchema;
  const members: Record<string, unknown> = Object.fromEntries(
    Object.entries(schema).map(([name, member]) => [name, closed(member)]),
  );
  const isClosed = members.type === "object" && "properties" in members;
  return isClosed ? { additionalProperties: false, ...members } : members;
}
