// ingest.json: the sources of a deployment's documents, so that one command
// brings all of them in step.

import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import * as v from "valibot";
import { isCollectionName } from "../../src/collections.ts";
import { Failure, systemReason } from "../command.ts";
import { printable } from "../printable.ts";

const Selectors = v.union([
  v.pipe(
    v.string(),
    v.transform((one) => [one]),
  ),
  v.array(v.string()),
]);
const Source = v.strictObject({
  source: v.union([
    v.pipe(
      v.string(),
      v.minLength(1),
      v.transform((one) => [one]),
    ),
    v.pipe(v.array(v.string()), v.minLength(1)),
  ]),
  collection: v.optional(
    v.pipe(
      v.string(),
      v.check(
        (name: string) => isCollectionName(name),
        "It must be 1 to 64 lower-case letters, digits and hyphens.",
      ),
    ),
  ),
  prefix: v.optional(v.string(), ""),
  url: v.optional(v.string()),
  stripExtension: v.optional(v.boolean(), false),
  prune: v.optional(v.boolean(), false),
  select: v.optional(Selectors, []),
  exclude: v.optional(Selectors, []),
  maxPages: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(50_000))),
  maxMinutes: v.optional(v.pipe(v.number(), v.minValue(0.01), v.maxValue(1_440))),
  rate: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(100))),
  allowPrivate: v.optional(v.boolean(), false),
});
const Config = v.strictObject({
  $schema: v.optional(v.string()),
  server: v.optional(v.string()),
  sources: v.pipe(v.array(Source), v.minLength(1)),
});

/** Where documents are from, and how they are read. */
export type Source = v.InferOutput<typeof Source>;
export type Config = v.InferOutput<typeof Config>;

export const CONFIG = "ingest.json";
export const isUrl = (source: string): boolean => /^https?:\/\//i.test(source);

/** Undefined without the file. Paths in it begin at its folder. */
export async function configOf(path: string): Promise<Config | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Failure(`${path} cannot be read: ${systemReason(error)}.`, 2);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Failure(`${path} is no JSON: ${printable((error as Error).message)}`, 2);
  }
  const read = v.safeParse(Config, json);
  if (!read.success) {
    const [issue] = read.issues;
    const where = v.getDotPath(issue);
    throw new Failure(`${path}: ${where === null ? "" : `${where}: `}${issue.message}`, 2);
  }
  const folder = dirname(path);
  const sources = read.output.sources.map((source) => ({
    ...source,
    source: source.source.map((one) => (isUrl(one) || isAbsolute(one) ? one : join(folder, one))),
  }));
  return { ...read.output, sources };
}
