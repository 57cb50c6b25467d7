// Cloudflare's published prices and limits, in dollars, and where they stand.

/** When the pages were read. Stored copies of cloudflare-docs, not the site. */
export const READ_ON = "2026-11-28";

export const SOURCES = [
  "https://developers.cloudflare.com/workers/platform/pricing/",
  "https://developers.cloudflare.com/workers/platform/limits/",
  "https://developers.cloudflare.com/durable-objects/platform/pricing/",
  "https://developers.cloudflare.com/durable-objects/platform/limits/",
  "https://developers.cloudflare.com/workers-ai/platform/pricing/",
  "https://developers.cloudflare.com/vectorize/platform/pricing/",
] as const;

export interface Price {
  readonly what: string;
  readonly unit: string;
  /** Included in the paid plan each month. */
  readonly included: number;
  /** For one million more; of stored data, for one gigabyte. */
  readonly dollars: number;
  /** How many units the price is for. */
  readonly per: number;
  /** What the free plan carries each day; of stored data, in all. */
  readonly free: number;
}

const MILLION = 1_000_000;

export const PRICES = {
  workerRequests: {
    what: "requests to the Worker",
    unit: "requests",
    included: 10 * MILLION,
    dollars: 0.3,
    per: MILLION,
    free: 100_000,
  },
  workerCpuMs: {
    what: "CPU of the Worker",
    unit: "ms",
    included: 30 * MILLION,
    dollars: 0.02,
    per: MILLION,
    // 10 ms for each request instead.
    free: Number.POSITIVE_INFINITY,
  },
  objectRequests: {
    what: "requests to objects",
    unit: "requests",
    included: MILLION,
    dollars: 0.15,
    per: MILLION,
    free: 100_000,
  },
  gbSeconds: {
    what: "wall clock of objects",
    unit: "GB-s",
    included: 400_000,
    dollars: 12.5,
    per: MILLION,
    free: 13_000,
  },
  rowsRead: {
    what: "rows read",
    unit: "rows",
    included: 25_000 * MILLION,
    dollars: 0.001,
    per: MILLION,
    free: 5 * MILLION,
  },
  rowsWritten: {
    what: "rows written",
    unit: "rows",
    included: 50 * MILLION,
    dollars: 1,
    per: MILLION,
    free: 100_000,
  },
  storedGb: {
    what: "stored data",
    unit: "GB",
    included: 5,
    dollars: 0.2,
    per: 1,
    free: 5,
  },
} as const satisfies Record<string, Price>;

export type Item = keyof typeof PRICES;

/** The paid plan itself, each month. */
export const PLAN_DOLLARS = 5;

/** What is billed of an object's memory, however much it uses. */
export const OBJECT_GB = 0.128;

/** Of @cf/openai/gpt-oss-120b, the default of a deployment. */
export const MODEL = {
  name: "@cf/openai/gpt-oss-120b",
  inputDollars: 0.35,
  outputDollars: 0.75,
  inputNeurons: 31_818,
  outputNeurons: 68_182,
  /** Both prices are for this many tokens. */
  per: MILLION,
  freeNeurons: 10_000,
} as const;

/** For `RETRIEVER=hybrid`: Vectorize, with the 1,024 dimensions of bge-m3. */
export const VECTORS = {
  dimensions: 1_024,
  /** For a million dimensions, of questions and, each month, of all vectors. */
  queriedDollars: 0.01,
  /** For a million dimensions a month. */
  storedDollars: 0.0005,
} as const;

export const LIMITS = {
  /** Of one object, as Cloudflare's pages have it: a soft limit. */
  objectRequestsASecond: 1_000,
  /** Of one object, measured and published by others. */
  objectTransactionsASecond: 410,
  objectGb: 10,
  isolateMb: 128,
  freeCpuMs: 10,
  connections: 6,
  subrequests: { free: 50, paid: 10_000 },
} as const;
