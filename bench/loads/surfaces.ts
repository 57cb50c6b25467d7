// The forms of other APIs beside our own events: the CPU of each token.

import { API_PREFIX } from "../../src/protocol.ts";
import type { AskRequest, Contender } from "../contender.ts";
import { belayContender, readerOf } from "../field.ts";
import { asks, type Bench, brokenAnswers, cpuOf, range, tokensOf } from "../load.ts";
import { median, medianRatio, type Result } from "../result.ts";

const STREAMS = 10;
const TOKENS = 1_000;
const RATIO_MAX = 1.1;

interface Surface {
  readonly name: string;
  readonly mark: string;
  readonly end: string;
  readonly path: string;
  body(question: string): object;
}

const SURFACES: readonly Surface[] = [
  {
    name: "Chat Completions",
    mark: '"delta":{"content":"',
    end: "[DONE]",
    path: "/v1/chat/completions",
    body: (content) => ({
      model: "belay",
      stream: true,
      max_tokens: 4_096,
      messages: [{ role: "user", content }],
    }),
  },
  {
    name: "Responses",
    mark: '"type":"response.output_text.delta"',
    end: '"type":"response.completed"',
    path: "/v1/responses",
    body: (input) => ({ model: "belay", stream: true, max_output_tokens: 4_096, input }),
  },
  {
    name: "UI messages",
    mark: '"type":"text-delta"',
    end: "[DONE]",
    path: `${API_PREFIX}/ai/chat`,
    body: (text) => ({
      id: text,
      messages: [{ id: "1", role: "user", parts: [{ type: "text", text }] }],
      belay: { maxTokens: 4_096 },
    }),
  },
];

export async function surfaces({ field, model, rounds }: Bench): Promise<Result> {
  const belay = await field.startBelay({ modelUrl: model.url });
  const own = belayContender(belay);
  const all = [
    { ...own, title: "our events" },
    ...SURFACES.map(({ name, mark, end, path, body }) => ({
      ...{ ...own, title: name, mark, end },
      request: async (user: number, question: string): Promise<AskRequest> => ({
        ...{ port: belay.server.port, path, body: body(question) },
        headers: { authorization: `Bearer ${await belay.token(readerOf(user))}` },
      }),
    })),
  ];
  const remarks: string[] = [];
  const measure = async (contender: Contender) => {
    const { cpuMs, result } = await cpuOf(contender.server, () =>
      asks(contender, range(0, STREAMS), { tokens: TOKENS }),
    );
    remarks.push(...brokenAnswers(contender.name, result));
    return (cpuMs * 1_000) / tokensOf(result);
  };
  for (const contender of all) await measure(contender);
  const times = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const { title, ...contender } of all) {
      times.set(title, [...(times.get(title) ?? []), await measure(contender)]);
    }
  }
  const ratio = (title: string) => medianRatio(times.get(title), times.get("our events"));
  return {
    load: "surfaces",
    title: `${STREAMS} streams of ${TOKENS} tokens in each form`,
    columns: ["CPU µs a token", "x our events"],
    rows: all.map(({ title }) => ({
      name: title,
      values: [median(times.get(title) ?? []), ratio(title)],
    })),
    goals: SURFACES.map(({ name }) => ({
      what: `CPU per token in ${name}, to our events`,
      value: ratio(name) ?? Number.NaN,
      limit: RATIO_MAX,
      unit: "x",
      isRatio: true,
    })),
    remarks,
  };
}
