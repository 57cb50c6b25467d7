// The meaning of the finish reasons of model servers. Pure.

/**
 * `open`: no end; some servers send it with every chunk. `unknown`: no
 * proof that the answer is whole. From the references of OpenAI, Azure,
 * Anthropic, Bedrock, Gemini, Cohere, Mistral, DeepSeek, Zhipu,
 * DashScope, Workers AI, Ollama, LM Studio, llama.cpp, vLLM, SGLang and
 * TGI.
 */
export type Ending = "open" | "stop" | "length" | "filter" | "tool" | "failed" | "unknown";

/**
 * Without case and separators: `MAX_TOKENS` and `max-tokens` are
 * `maxtokens`.
 */
const EXACT: Readonly<Record<string, Ending>> = {
  ...all("open", [
    "",
    ...["null", "none", "nil", "undefined", "unspecified", "finishreasonunspecified"],
    ...["inprogress", "notfinished", "unfinished", "ongoing", "pending", "running", "streaming"],
    ...["generating", "processing", "continue"],
  ]),
  ...all("stop", [
    ...["stop", "stopped", "stoptoken", "stoptokenid", "stopsequence", "stopstring"],
    ...["stopstringfound", "stopword", "stopwords", "stoppedword", "stoppedeos"],
    ...["finishreasonstop", "reasonstop", "eos", "eosfound", "eostoken", "eostokenid"],
    ...["eostokenfound", "eot", "eog", "success", "succeeded"],
    ...["endturn", "endofturn", "endoftext", "endofsequence", "endofmessage", "end"],
    ...["complete", "completed", "done", "finish", "finished", "normal"],
  ]),
  ...all("length", ["limit", "stoppedlimit"]),
};

/** The first match counts: `ERROR_LIMIT` and `tool_error` are errors. */
const PATTERNS: readonly (readonly [RegExp, Ending])[] = [
  [/error|fail|abort|cancel/, "failed"],
  [/filter|safety|recitation|prohibited|blocklist|blocked|moderation|guardrail/, "filter"],
  [/^spii$|sensitive|refus|toxic|harm|policy|copyright/, "filter"],
  [/tool|function/, "tool"],
  [/length|max(?:output|new|completion|predicted)?tokens|max(?:len|context)/, "length"],
  [/contextwindow|(?:tokens?|context|output)limit/, "length"],
];

/**
 * `reason`: as the server sends it, a string or null. Anything else is
 * unknown.
 */
export function endingOf(reason: unknown): Ending {
  if (reason === undefined || reason === null || reason === false) return "open";
  if (typeof reason !== "string") return "unknown";
  const plain = reason.toLowerCase().replace(/[^a-z]/g, "");
  // A reason without letters is unknown, except an empty one.
  if (plain === "" && reason.trim() !== "") return "unknown";
  const exact = Object.hasOwn(EXACT, plain) ? EXACT[plain] : undefined;
  return exact ?? PATTERNS.find(([pattern]) => pattern.test(plain))?.[1] ?? "unknown";
}

function all(ending: Ending, reasons: readonly string[]): Record<string, Ending> {
  return Object.fromEntries(reasons.map((reason) => [reason, ending]));
}
