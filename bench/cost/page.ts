// The tables of docs/cost.md, from the measured figures and the prices.

import {
  bill,
  type FreeLimit,
  fitsFreeCpu,
  freeLimits,
  ITEMS,
  listPrice,
  vectorDollars,
} from "./bill.ts";
import type { AnswerFigures, Figures } from "./figures.ts";
import {
  BASE,
  copiesNeeded,
  fullest,
  load,
  type Part,
  type Scale,
  searchCpuMs,
  searchesASecond,
} from "./growth.ts";
import { LIMITS, MODEL, PRICES, READ_ON, SOURCES } from "./prices.ts";
import { modelDollars, rowsWritten, usageOf } from "./usage.ts";
import { WORKLOADS } from "./workloads.ts";

type Cells = readonly string[];

/** `RETENTION_DAYS`, as it is by default. */
const STORED_DAYS = 30;
const VECTORS_SHOWN = 50_000;

/** The text between the marks of docs/cost.md, by the names of the marks. */
export function sections(figures: Figures): Readonly<Record<string, string>> {
  return {
    measured: measured(figures),
    prices: prices(),
    million: million(figures),
    bills: bills(figures),
    free: free(figures),
    growth: growth(figures),
    corpus: corpus(figures),
  };
}

/** The page with new text between its marks. */
export function written(page: string, figures: Figures): string {
  return Object.entries(sections(figures)).reduce((text, [name, section]) => {
    const marked = new RegExp(`(<!-- cost: ${name} -->\n).*?(<!-- end -->)`, "s");
    if (!marked.test(text)) throw new Error(`The page has no place for ${name}.`);
    return text.replace(marked, (_, from, to) => `${from}\n${section}\n\n${to}`);
  }, page);
}

function measured({ quotes, model, ...figures }: Figures): string {
  const row = (what: string, of: (answer: AnswerFigures) => string) => [
    what,
    of(quotes),
    of(model),
  ];
  return [
    `Measured on ${figures.measuredOn.slice(0, 10)}.`,
    "",
    table(
      ["one answer", "quotes", "hosted model"],
      [
        row("tokens of the answer", ({ tokens }) => number(tokens)),
        row("characters of the prompt", ({ promptCharacters }) => number(promptCharacters)),
        row("requests to the Worker", ({ workerRequests }) => number(workerRequests)),
        row("requests to the user's object", ({ userRequests }) => number(userRequests)),
        row("calls of the corpus object", ({ corpusCalls }) => number(corpusCalls)),
        ...(quotes.directoryCalls === undefined
          ? []
          : [row("reports to the directory", ({ directoryCalls = 0 }) => number(directoryCalls))]),
        row("alarms that ring", ({ alarmsRung }) => number(alarmsRung)),
        row("rows read", ({ rowsRead }) => number(rowsRead)),
        row("rows written, alarms counted", (answer) => number(rowsWritten(answer))),
        row("seconds that the user's object is awake", ({ seconds }) => number(seconds)),
        row("seconds that timers keep it awake afterwards", ({ afterSeconds }) =>
          number(afterSeconds),
        ),
        row("seconds that the model takes", ({ modelSeconds }) => number(modelSeconds)),
        row("CPU of the whole process, ms", ({ cpuMs }) => number(cpuMs)),
        row("bytes stored", ({ storedBytes }) => number(storedBytes)),
      ],
    ),
    "",
    table(
      ["besides", ""],
      [
        ["rows that a user's first answer writes more", number(figures.firstRowsWritten)],
        ["CPU of the Worker for a request, ms, at most", number(figures.edgeCpuMs)],
        ["memory of an open stream, MB", number(figures.streamMb)],
        ["CPU of a search of 5,000 passages, ms", number(figures.searchCpuMs["5000"])],
        ["CPU of a search of 50,000 passages, ms", number(figures.searchCpuMs["50000"])],
        ["bytes of a passage in the corpus object", number(figures.passageBytes)],
      ],
    ),
  ].join("\n");
}

function prices(): string {
  return [
    `Read on ${READ_ON}, in stored copies of Cloudflare's pages that may be some months old: ${SOURCES.map((url) => `<${url}>`).join(", ")}.`,
    "",
    table(
      ["what", "free plan", "paid plan includes, a month", "and then"],
      ITEMS.map((item) => {
        const { what, unit, free: carried, included, dollars, per } = PRICES[item];
        const period = item === "storedGb" ? "in all" : "a day";
        return [
          `${what} (${unit})`,
          Number.isFinite(carried)
            ? `${number(carried)} ${period}`
            : `${LIMITS.freeCpuMs} ms a request`,
          number(included),
          per === 1 ? `${money(dollars)} each` : `${money(dollars)} a million`,
        ];
      }),
    ),
    "",
    `The paid plan costs $5 a month. ${MODEL.name} costs ${money(MODEL.inputDollars)} for a million tokens of the prompt and ${money(MODEL.outputDollars)} for a million of the answer; ${number(MODEL.freeNeurons)} neurons a day are free.`,
  ].join("\n");
}

function million(figures: Figures): string {
  const vectors = vectorDollars(VECTORS_SHOWN);
  const usages = (["quotes", "model"] as const).map((kind) => usageOf(figures, kind, STORED_DAYS));
  const parts = ITEMS.map((item) => usages.map((usage) => listPrice(usage, item)));
  const models = usages.map((usage) => modelDollars(usage) * 1e6);
  const sums = usages.map((_, i) => parts.reduce((sum, each) => sum + (each[i] ?? 0), 0));
  const costs = table(
    ["a million answers, with nothing included", "quotes", "hosted model"],
    [
      ...ITEMS.map((item, i) => [PRICES[item].what, ...(parts[i] ?? []).map(money)]),
      ["Belay in all", ...sums.map(money)],
      ["the model", ...models.map(money)],
    ],
  );
  return `${costs}\n\nThe model is ${MODEL.name}. \`RETRIEVER=hybrid\` adds ${money(vectors.questions)} in Vectorize, and ${money(vectors.stored)} a month for ${number(VECTORS_SHOWN)} passages.`;
}

function bills(figures: Figures): string {
  const all = WORKLOADS.map(({ kind, answersAMonth }) =>
    bill(usageOf(figures, kind, STORED_DAYS), answersAMonth),
  );
  return [
    ...WORKLOADS.map(({ name, what }) => `- **${name}**: ${what}.`),
    "",
    table(
      ["dollars a month, on the paid plan", ...WORKLOADS.map(({ name }) => name)],
      [
        ["answers", ...WORKLOADS.map(({ answersAMonth }) => number(answersAMonth))],
        ["the plan", ...all.map(({ planDollars }) => money(planDollars))],
        ...ITEMS.map((item) => [
          PRICES[item].what,
          ...all.map(({ lines }) => money(lines.find((line) => line.item === item)?.dollars ?? 0)),
        ]),
        ["the model", ...all.map(({ modelDollars: dollars }) => money(dollars))],
        ["in all", ...all.map(({ totalDollars }) => money(totalDollars))],
        [
          "of that, without the model, for 1,000 answers",
          ...all.map(({ totalDollars, modelDollars: dollars }, i) =>
            money(((totalDollars - dollars) / (WORKLOADS[i]?.answersAMonth ?? 1)) * 1_000),
          ),
        ],
      ],
    ),
  ].join("\n");
}

function free(figures: Figures): string {
  const limits = (kind: "quotes" | "model") =>
    freeLimits(usageOf(figures, kind, STORED_DAYS), STORED_DAYS);
  const quotes = limits("quotes");
  const model = limits("model");
  const one = model.map(({ what, carries }) => {
    const answers = (of: typeof model) => {
      const limit = of.find((candidate) => candidate.what === what);
      return limit === undefined ? "-" : number(Math.floor(limit.answersADay));
    };
    return [what, number(carries), answers(quotes), answers(model)];
  });
  const [firstQuotes] = quotes;
  const [firstModel] = model;
  const firstElsewhere = model.find(({ what }) => !what.startsWith("Workers AI"));
  const words = (limit: FreeLimit | undefined) =>
    `${limit?.what}, at ${number(Math.floor(limit?.answersADay ?? 0))} answers a day`;
  const fits = (cpuMs: number) => (fitsFreeCpu(cpuMs) ? "within" : "over");
  return [
    table(["limit of the free plan", "carries", "answers a day: quotes", "hosted model"], one),
    "",
    `- With quotes, the first to be full: ${words(firstQuotes)}.`,
    `- With a model of Workers AI: ${words(firstModel)}.`,
    `- With a model elsewhere: ${words(firstElsewhere)}.`,
    `- CPU of one request to the Worker: ${number(figures.edgeCpuMs)} ms, ${fits(figures.edgeCpuMs)} the ${LIMITS.freeCpuMs} ms of the free plan. CPU of a whole ask, mostly in the objects: ${number(figures.quotes.cpuMs)} ms with quotes, ${number(figures.model.cpuMs)} ms with a model, both measured over the whole process.`,
  ].join("\n");
}

function growth(figures: Figures): string {
  const base = BASE(figures);
  const cases: readonly [string, Scale][] = [
    [
      `${number(base.users)} users, ${base.asks} asks a day, ${number(base.passages)} passages`,
      base,
    ],
    ["10 times the users", { ...base, users: base.users * 10 }],
    ["1,000 times the users", { ...base, users: base.users * 1_000 }],
    ["10 times the asks of each user", { ...base, asks: base.asks * 10 }],
    ["1,000 times the asks of each user", { ...base, asks: base.asks * 1_000 }],
    ["10 times the documents", { ...base, passages: base.passages * 10 }],
    ["1,000 times the documents", { ...base, passages: base.passages * 1_000 }],
    ["streams open 10 times as long", { ...base, streamSeconds: base.streamSeconds * 10 }],
    ["streams open 1,000 times as long", { ...base, streamSeconds: base.streamSeconds * 1_000 }],
  ];
  const loads = cases.map(([name, scale]) => ({ name, all: load(figures, scale) }));
  const parts = Object.keys(load(figures, base).parts) as Part[];
  return [
    table(
      [
        "a deployment of",
        "answers a second",
        "open streams",
        "isolates for them",
        "fullest part",
        "used",
      ],
      loads.map(({ name, all }) => {
        const { part, share } = fullest(all);
        const isolates = Math.ceil((all.openStreams * figures.streamMb) / LIMITS.isolateMb);
        return [
          name,
          number(all.answersASecond),
          number(all.openStreams),
          number(isolates),
          part,
          percent(share),
        ];
      }),
    ),
    "",
    table(
      ["used, of each part", ...parts.map((part) => part)],
      loads.map(({ name, all }) => [name, ...parts.map((part) => percent(all.parts[part]))]),
    ),
  ].join("\n");
}

function corpus(figures: Figures): string {
  const rates = [10, 100, 1_000];
  return table(
    [
      "passages",
      "CPU of a search, ms",
      "searches a second of one object",
      ...rates.map((rate) => `copies for ${number(rate)} answers a second`),
    ],
    [5_000, 50_000].map((passages) => {
      const ofOne = searchesASecond(figures, passages);
      return [
        number(passages),
        number(searchCpuMs(figures, passages)),
        number(Math.floor(ofOne)),
        ...rates.map((rate) => number(copiesNeeded(rate, ofOne))),
      ];
    }),
  );
}

function table(head: Cells, rows: readonly Cells[]): string {
  const line = (cells: Cells) => `| ${cells.join(" | ")} |`;
  const rule = line(head.map((_, i) => (i === 0 ? "---" : "---:")));
  return [line(head), rule, ...rows.map(line)].join("\n");
}

/** Three digits that count, or all of a whole number. */
function number(value: number): string {
  const digits =
    value >= 1_000 || Number.isInteger(value) ? 0 : value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

function money(dollars: number): string {
  if (dollars === 0) return "$0";
  return dollars < 0.01
    ? `$${dollars.toPrecision(1)}`
    : `$${dollars.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: dollars < 0.1 ? 3 : 2 })}`;
}

function percent(share: number): string {
  return `${number(share * 100)} %`;
}
