// Words that do not tell what a question is about, in English and
// Chinese. They are indexed, but left out of queries.

const ENGLISH = `
a about above after again against all also am among an and another any are as at be because been
before being below between both but by came can come could d did do does doing done down during each
else ever every few for from further get give given got had has have having he her here hers herself
him himself his how however i if in into is it its itself just ll made make makes many may me might
more most much must my myself name named nor not now of off on once only or other others our ours out over
own please re s said same shall she should since so some still such t take tell than that the their
theirs them themselves then there these they this those through thus to too toward under until up upon
us used using ve very was we well were what when where whether which while who whom whose why will
with within would yet you your yours
`;

const CHINESE = `
的 了 是 在 和 与 與 及 或 也 都 有 为 為 被 由 于 於 之 其 此 那 这 這 个 個 几 幾 谁 誰 何 哪 吗 嗎 呢 吧 啊
什么 什麼 哪个 哪個 哪些 多少 如何 怎么 怎麼 怎样 怎樣 是否 为什么 為什麼
`;

export const STOP_WORDS: ReadonlySet<string> = new Set(
  `${ENGLISH} ${CHINESE}`.split(/\s+/).filter((word) => word !== ""),
);
