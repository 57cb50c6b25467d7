// The OpenAPI document says all that the API has, and nothing else.

import type * as v from "valibot";
import { beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import type { DocumentEntry } from "../../src/corpus/documents.ts";
import { routes } from "../../src/edge/edge.ts";
import { STATUS } from "../../src/errors.ts";
import type * as bodies from "../../src/openapi/bodies.ts";
import type * as directoryBodies from "../../src/openapi/directory-bodies.ts";
import type * as protocol from "../../src/protocol.ts";
import type { ShownDay, ShownQuery, ShownReport, ShownUser } from "../../src/shown.ts";
import type { Inspection } from "../../src/user/inspect.ts";
import { fetchApi } from "../harness.ts";
import { Conforming, type Document } from "./conforming.ts";

const PATH = "/api/v1/openapi.json";
const ORIGIN = "https://app.example";

let conforming: Conforming;
let document: Document;

beforeAll(async () => {
  document = await (await fetchApi(PATH)).json<Document>();
  conforming = new Conforming(document);
});

describe("GET /api/v1/openapi.json", () => {
  it("needs no bearer token, can be cached, and is readable by pages of other origins", async () => {
    const response = await fetchApi(PATH, { headers: { origin: ORIGIN } });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(response.headers.get("cache-control")).toBe("public, max-age=300");
    expect(response.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(response.headers.get("content-security-policy")).toBeNull();
    expect(await response.json()).toMatchObject({ openapi: "3.1.0" });
  });

  it("answers HEAD with the same headers", async () => {
    const response = await fetchApi(PATH, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("public, max-age=300");
    expect(await response.text()).toBe("");
  });

  it("sends no body to a client that has it", async () => {
    const { headers } = await fetchApi(PATH);
    const etag = headers.get("etag") ?? "";
    expect(etag).not.toBe("");
    const again = await fetchApi(PATH, { headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe("");
  });
});

describe("the OpenAPI document", () => {
  it("describes every route, and no other", () => {
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const real = routes.map(([method, path]) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    expect(described.sort()).toEqual(real.sort());
  });

  it("gives every operation a name of its own", () => {
    const names = Object.values(document.paths)
      .flatMap((methods) => Object.values(methods))
      .map(({ operationId }) => operationId);
    expect(new Set(names).size).toBe(names.length);
  });

  it("describes every path parameter", () => {
    const undescribed = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).flatMap(({ parameters = [], operationId }) => {
        const names = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name);
        const inPath = parameters.filter((parameter) => parameter.in === "path");
        const isSame = names.join() === inPath.map(({ name }) => name).join();
        return isSame ? [] : [operationId];
      }),
    );
    expect(undescribed).toEqual([]);
  });

  it("gives every error code under its status, and lists it with it", () => {
    const { schemas, responses } = document.components;
    const inUse = new Set(
      Object.values(document.paths)
        .flatMap((methods) => Object.values(methods))
        .flatMap((operation) => Object.entries(operation.responses))
        .flatMap(([status, { $ref }]) => {
          const name = String($ref ?? "").slice("#/components/responses/".length);
          const codes = responses[name]?.description.matchAll(/`([A-Z_]+)`: /g) ?? [];
          return Array.from(codes, ([, code]) => `${status} ${code}`);
        }),
    );
    // No described operation is of another method than its address takes.
    const { METHOD_NOT_ALLOWED, ...met } = STATUS;
    expect(inUse).toEqual(
      new Set(Object.entries(met).map(([code, status]) => `${status} ${code}`)),
    );
    expect(schemas.ErrorCode?.enum).toEqual(Object.keys(STATUS));
    for (const [code, status] of Object.entries(STATUS)) {
      expect(schemas.ErrorCode?.description).toContain(`| ${status} | \`${code}\` |`);
    }
  });

  it("describes every header that pages may read", async () => {
    const response = await fetchApi(PATH, { headers: { origin: ORIGIN } });
    const exposed = response.headers.get("access-control-expose-headers")?.split(", ") ?? [];
    expect(exposed).toContain("X-Query-Id");
    expect(Object.keys(document.components.headers)).toEqual(expect.arrayContaining(exposed));
  });

  it("has examples that fit their schemas", () => {
    const faults = routes.flatMap(([method, path]) => {
      const { requestBody, parameters = [] } = conforming.operation(`${method} ${path}`) ?? {};
      const bodies = Object.values(requestBody?.content ?? {}).flatMap(
        ({ schema, examples = {} }) =>
          Object.values(examples).flatMap(({ value }) => conforming.faults(schema, value)),
      );
      const given = parameters.filter(({ example }) => example !== undefined);
      return [
        ...bodies,
        ...given.flatMap(({ schema, example }) => conforming.faults(schema, example)),
      ];
    });
    expect(faults).toEqual([]);
  });

  it("says of which bodies an unknown member is refused", () => {
    const { schemas } = document.components;
    const bodies = Object.values(document.paths)
      .flatMap((methods) => Object.values(methods))
      .flatMap(({ tags, requestBody }) =>
        Object.values(requestBody?.content ?? {}).map(({ schema }) => {
          const name = String(schema.$ref).slice("#/components/schemas/".length);
          const about = document.tags.find((tag) => tag.name === tags[0])?.description;
          return { name, about };
        }),
      );
    const strict = bodies.filter(({ name }) => schemas[name]?.additionalProperties === false);
    const said = bodies.filter(({ about }) => about?.includes("An unknown member of a body"));
    expect(said).toEqual(strict);
    expect([...new Set(strict.map(({ name }) => name))].sort()).toEqual([
      "AskBody",
      "BudgetBody",
      "CollectionBody",
      "DocumentBody",
      "FeedbackBody",
      "MoveBody",
      "SettingsBody",
    ]);
  });

  it("refuses what the server refuses", () => {
    const { AskBody = {} } = document.components.schemas;
    const faults = (body: unknown) => conforming.faults(AskBody, body).length;
    expect(faults({ query: "x".repeat(4_000), topK: null })).toBe(0);
    expect(faults({ query: "x".repeat(4_001) })).toBeGreaterThan(0);
    expect(faults({ query: "" })).toBeGreaterThan(0);
    expect(faults({})).toBeGreaterThan(0);
    expect(faults({ query: "x", topK: 21 })).toBeGreaterThan(0);
    expect(faults({ query: "x", topk: 2 })).toBeGreaterThan(0);
    expect(faults({ query: "x", history: [{ role: "system", content: "x" }] })).toBeGreaterThan(0);
  });
});

/** The type with all its members, arrays included, as they can be written. */
type Writable<T> = T extends object ? { -readonly [Name in keyof T]: Writable<T[Name]> } : T;
type Described<Name extends keyof typeof bodies> = Writable<
  v.InferOutput<(typeof bodies)[Name] & v.GenericSchema>
>;
type Listed<Name extends keyof typeof directoryBodies> = Writable<
  v.InferOutput<(typeof directoryBodies)[Name] & v.GenericSchema>
>;

describe("the schemas of bodies", () => {
  // `tsc` fails where they are not.
  it("are the types that the source sends", () => {
    expectTypeOf<Described<"source">>().toEqualTypeOf<Writable<protocol.Source>>();
    expectTypeOf<Described<"error">>().toEqualTypeOf<Writable<protocol.ErrorBody>>();
    expectTypeOf<Described<"errorCode">>().toEqualTypeOf<protocol.ErrorCode>();
    expectTypeOf<Described<"streamEvent">>().toEqualTypeOf<Writable<protocol.StreamEvent>>();
    expectTypeOf<Described<"answer">>().toEqualTypeOf<Writable<protocol.AnswerBody>>();
    expectTypeOf<Described<"receipt">>().toEqualTypeOf<Writable<protocol.Receipt>>();
    expectTypeOf<Described<"quota">>().toEqualTypeOf<Writable<protocol.Quota>>();
    expectTypeOf<Described<"examples">>().toEqualTypeOf<Writable<protocol.Examples>>();
    expectTypeOf<Listed<"listedUser">>().toEqualTypeOf<Writable<ShownUser>>();
    expectTypeOf<Listed<"listedQuery">>().toEqualTypeOf<Writable<ShownQuery>>();
    expectTypeOf<Listed<"listedDay">>().toEqualTypeOf<Writable<ShownDay>>();
    expectTypeOf<Listed<"report">>().toEqualTypeOf<Writable<ShownReport>>();
    expectTypeOf<Described<"document">>().toEqualTypeOf<Writable<DocumentEntry>>();
    type Windows = { windows: unknown };
    expectTypeOf<Omit<Described<"inspection">, "windows"> & Windows>().toEqualTypeOf<
      Omit<Writable<Inspection>, "windows"> & Windows
    >();
  });
});
