// Three deployments that people would recognise.

import type { Kind } from "./usage.ts";

export interface Workload {
  readonly name: string;
  readonly what: string;
  readonly kind: Kind;
  readonly answersAMonth: number;
}

export const WORKLOADS: readonly Workload[] = [
  {
    name: "documentation site",
    what: "1,000 answers a day, quotes only",
    kind: "quotes",
    answersAMonth: 1_000 * 30,
  },
  {
    name: "classroom",
    what: "500 students, 20 answers each in an hour, 20 days a month, a hosted model",
    kind: "model",
    answersAMonth: 500 * 20 * 20,
  },
  {
    name: "product",
    what: "50,000 answers a day, a hosted model",
    kind: "model",
    answersAMonth: 50_000 * 30,
  },
];
