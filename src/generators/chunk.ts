// Reads one JSON object of a model's stream: its text, and whether it
// is understood. It may be OpenAI's (`choices`), Workers AI's
// (`response`) or a mixture. Pure.
//
// An unknown object or form of text is a failure: it may be an error or
// a piece of the answer, and an answer with a hole must not be charged.
// Unknown members beside known ones are ignored.

export type Fault = "failed" | "unreadable" | "tool" | "refused";

export interface Chunk {
  /** The next piece of the answer; "" if there is none. */
  text: string;
  /** The answer so far, which some servers repeat. */
  whole?: string;
  /** The server sends thoughts apart from the text. */
  hasThoughts?: boolean;
  finishReason?: unknown;
  /** Tokens generated, by the model's count. */
  tokens?: number;
  /** Tokens of the prompt and the answer together. */
  usage?: number;
  promptTokens?: number;
  fault?: Fault;
}

type Members = Readonly<Record<string, unknown>>;

/** An object with one of these is known, even without text. */
const KNOWN = ["choices", "response", "usage", "finish_reason", "tool_calls"];
/** Members that report a failure, unless empty. */
const ERRORS = new Set([
  ...["error", "errors", "err", "exception", "fault"],
  ...["error_code", "error_msg", "error_message", "error_type"],
]);
/** Codes and states of success. */
const FINE = /^(?:0|2\d\d|ok|success\w*)$/i;
const FAILED_STATUS = /error|fail|abort|cancel|^[45]\d\d$/i;
/** Without known text, these may hold an error or text in an unknown form. */
const TELLING = [
  ...["content", "text", "output_text", "output", "parts", "audio", "delta"],
  ...["message", "msg", "detail"],
];
/** Members that hold thoughts. */
const THOUGHTS = [
  "reasoning_content",
  "reasoning",
  "reasoning_details",
  "reasoning_text",
  "thinking",
];
/** The types of the parts of a text. */
const TEXT_PARTS = ["text", "output_text"];
const THOUGHT_PARTS =
  /^(?:redacted_|summary_)?(?:think|thinking|thought|thoughts|reasoning)(?:_text|_content|_summary)?$|^summary_text$/;

export function readChunk(json: string): Chunk {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { text: "", fault: "unreadable" };
  }
  const chunk: Chunk = { text: "" };
  // Gemini sends an error in a list.
  for (const one of Array.isArray(value) ? value : [value]) {
    const fault = isMembers(one) ? readObject(one, chunk) : "unreadable";
    if (fault !== undefined) return { ...chunk, fault };
  }
  return chunk;
}

function readObject(object: Members, chunk: Chunk): Fault | undefined {
  if (saysError(object) || object.success === false) return "failed";
  const { choices, response, usage } = object;
  if (!isKnown(object)) return "unreadable";
  if (!isFilled(choices) && !isFilled(response) && isTelling(object)) return "unreadable";
  if (isFilled(object.tool_calls)) return "tool";
  chunk.finishReason = object.finish_reason ?? chunk.finishReason;
  if (isMembers(usage)) readUsage(usage, chunk);

  if (choices !== null && choices !== undefined && typeof choices !== "number") {
    if (!Array.isArray(choices)) return "unreadable";
    for (const choice of choices) {
      if (choice === null) continue;
      const fault = isMembers(choice) ? readChoice(choice, chunk) : "unreadable";
      if (fault !== undefined) return fault;
    }
    // An object in both dialects repeats itself.
    if (chunk.text !== "" || chunk.whole !== undefined) return undefined;
  }
  return addText(response, chunk);
}

function readUsage(usage: Members, chunk: Chunk): void {
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = usage;
  if (typeof completion === "number") chunk.tokens = completion;
  // It is stored as a whole number.
  if (Number.isSafeInteger(prompt) && Number(prompt) >= 0) chunk.promptTokens = Number(prompt);
  const both = total ?? Number(prompt) + Number(completion);
  if (Number.isSafeInteger(both) && Number(both) > 0) chunk.usage = Number(both);
}

function readChoice(choice: Members, chunk: Chunk): Fault | undefined {
  const { delta, message, index, text } = choice;
  if (saysError(choice)) return "failed";
  // We ask for one answer. The text of a second would mix into it.
  if (typeof index === "number" && index > 0) return "unreadable";
  chunk.finishReason = choice.finish_reason ?? chunk.finishReason;
  const piece: Chunk = { text: "" };
  const whole: Chunk = { text: "" };
  const fault = readMessage(delta, piece) ?? readMessage(message, whole);
  if (fault !== undefined) return fault;
  const hasThoughts = piece.hasThoughts === true || whole.hasThoughts === true;
  // Together repeats the delta in `text`, thoughts included.
  if (piece.text === "" && whole.text === "" && !hasThoughts) {
    const found = isFilled(choice.content) ? "unreadable" : addText(text, piece);
    if (found !== undefined) return found;
  }
  chunk.text += piece.text;
  chunk.hasThoughts ||= hasThoughts;
  // Some servers repeat the piece, others the answer so far.
  if (whole.text !== "" && whole.text !== piece.text) chunk.whole = whole.text;
  return undefined;
}

function readMessage(message: unknown, chunk: Chunk): Fault | undefined {
  // PHP encodes an empty object as a list.
  if (!isFilled(message)) return undefined;
  if (!isMembers(message)) return "unreadable";
  if (saysError(message)) return "failed";
  if (isFilled(message.tool_calls) || isFilled(message.function_call)) return "tool";
  if (isFilled(message.refusal)) return "refused";
  if (THOUGHTS.some((name) => isFilled(message[name]))) chunk.hasThoughts = true;
  else if (!isFilled(message.content) && isTelling(message)) return "unreadable";
  return addText(message.content, chunk);
}

function addText(content: unknown, chunk: Chunk): Fault | undefined {
  if (content === undefined || content === null) return undefined;
  if (typeof content === "string") chunk.text += content;
  // Workers AI sends a token of digits as a number.
  else if (typeof content === "number") chunk.text += String(content);
  else if (Array.isArray(content)) {
    for (const part of content) {
      const fault = addPart(part, chunk);
      if (fault !== undefined) return fault;
    }
  } else return addPart(content, chunk);
  return undefined;
}

/** A part of a text, as Mistral and relays send it. */
function addPart(part: unknown, chunk: Chunk): Fault | undefined {
  if (typeof part === "string") {
    chunk.text += part;
    return undefined;
  }
  if (!isMembers(part) || typeof part.type !== "string") return "unreadable";
  if (THOUGHT_PARTS.test(part.type) || part.thought === true) {
    chunk.hasThoughts = true;
    return undefined;
  }
  if (part.type === "refusal") return "refused";
  if (!TEXT_PARTS.includes(part.type) || typeof part.text !== "string") return "unreadable";
  chunk.text += part.text;
  return undefined;
}

function saysError(object: Members): boolean {
  for (const name in object) if (ERRORS.has(name) && isFilled(object[name])) return true;
  if (isErrorKind(object.object) || isErrorKind(object.type)) return true;
  const { code, status, base_resp, x_groq } = object;
  if (isFilled(code) && !FINE.test(String(code))) return true;
  if (isFilled(status) && FAILED_STATUS.test(String(status))) return true;
  // MiniMax answers with status 200 and this.
  if (isMembers(base_resp) && isFilled(base_resp.status_code)) return true;
  return isMembers(x_groq) && isFilled(x_groq.error);
}

function isErrorKind(kind: unknown): boolean {
  return typeof kind === "string" && /error/i.test(kind);
}

/** A code explains the rest: `saysError` has found it to be a good one. */
function isTelling(object: Members): boolean {
  return object.code === undefined && TELLING.some((name) => isFilled(object[name]));
}

function isKnown(object: Members): boolean {
  if (KNOWN.some((name) => Object.hasOwn(object, name))) return true;
  // Neither has content: a ping, and an object of OpenAI without choices.
  if (object.type === "ping" || Object.keys(object).length === 0) return true;
  return typeof object.object === "string" && object.object.startsWith("chat.completion");
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Not missing, null, "", false, 0, [] or {}. */
function isFilled(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return Boolean(value);
  return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0;
}
