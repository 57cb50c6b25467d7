// Shapes of model streams, each with the expected outcome of the ask:
// what servers and relays really send, and what they might send.
// docs/testing.md has a table of all of them.

import { DONE, type Frame, frame, piece } from "./directive.ts";

export interface Shape {
  readonly what: string;
  readonly frames: readonly Frame[];
  /** How it must end: `stop` and `length` are charged, error codes refunded. */
  readonly ends: "stop" | "length" | "GENERATION_FAILED" | "GENERATION_TIMEOUT";
  /** The answer, if charged. */
  readonly answer?: string;
}

/** Part of every thought. No user may see it, no answer may cite its `[2]`. */
export const SECRET = "hidden thought [2]";

const chunk = (delta: unknown, more: object = {}, choice: object = {}) =>
  frame({ object: "chat.completion.chunk", choices: [{ index: 0, delta, ...choice }], ...more });
const reason = (finish_reason: unknown) => chunk({}, {}, { finish_reason });
const END = [reason("stop"), DONE];
const said = (...pieces: string[]) => pieces.map((text) => piece(text));
const HALF = said("The quota ", "is ");
const WHOLE = "The quota is 20 [1].";

const LONG = "The quota is 20, as [1] has it. ";

const whole = (what: string, frames: readonly Frame[], answer = WHOLE): Shape => ({
  what,
  frames,
  ends: "stop",
  answer,
});
const cut = (what: string, frames: readonly Frame[], answer = "The quota is "): Shape => ({
  what,
  frames,
  ends: "length",
  answer,
});
const failed = (what: string, frames: readonly Frame[]): Shape => ({
  what,
  frames,
  ends: "GENERATION_FAILED",
});
const REST = said("20 [1].");
const text = (value: string) => ({ type: "text", text: value });
const thinking = { type: "thinking", thinking: [text(SECRET)] };

/**
 * Errors other than an `error` event. `line` is sent as it is,
 * the others as data.
 */
const ERRORS: readonly (readonly [string, ...Frame[]])[] = [
  ["a line `error: {…}` (llama.cpp)", 'error: {"code":500,"message":"slot unavailable"}\n\n'],
  ["the same, cut in two", 'error: {"co', { waitMs: 50 }, 'de":500}\n\n'],
  ["a line of words", "Internal Server Error\n\n"],
  ["a line of JSON", '{"error":{"message":"overloaded"}}\n\n'],
  ["a page", "<html><body>502 Bad Gateway</body></html>\n\n"],
  ["`event: error`", 'event: error\ndata: {"message":"overloaded"}\n\n'],
  ["`event: error` without data", "event: error\n\n"],
  ['`{"error":{…}}`', frame({ error: { code: 500 } })],
  ['`{"error":"…"}`', frame({ error: "overloaded" })],
  ['`{"errors":[…]}` (Workers AI)', frame({ errors: [{ code: 3040 }], success: false })],
  ['`{"object":"error"}` (vLLM)', frame({ object: "error", message: "x", code: 500 })],
  ['`{"type":"error"}` (Anthropic)', frame({ type: "error", message: "overloaded" })],
  ['`[{"error":{…}}]` (Gemini)', frame([{ error: { code: 503, status: "UNAVAILABLE" } }])],
  ['`{"detail":"…"}` (FastAPI)', frame({ detail: "Not authenticated" })],
  ['`{"message":"…","code":…}`', frame({ message: "overloaded", code: 529 })],
  ["`base_resp` (MiniMax)", frame({ choices: null, base_resp: { status_code: 1004 } })],
  ["`message` beside no choices", frame({ choices: [], message: "overloaded" })],
  ["`detail` beside figures", frame({ usage: {}, detail: "overloaded" })],
  ["`code` beside an empty choice (Spark)", chunk({ content: "" }, { code: 10013, message: "x" })],
  ["`status: failed` beside no choices", frame({ choices: [], status: "failed" })],
  ["an error in `x_groq` (Groq)", frame({ choices: [], x_groq: { error: "over_capacity" } })],
  ["a line of one word", "Killed\n\n"],
  ["a line with a code", "code: 500\n\n"],
  ["a line whose value tells of it", "info: request failed\n\n"],
  ["an error in a choice", chunk({}, {}, { error: { message: "overloaded" } })],
  ["an error in a delta", chunk({ error: { message: "overloaded" } })],
  ["an error beside a choice", chunk({ content: "" }, { error: { message: "overloaded" } })],
];

export const SHAPES: readonly Shape[] = [
  // --- The answer ---
  whole("text in deltas, a reason, an end marker", [...HALF, ...REST, ...END]),
  whole("text in a list of typed parts (Mistral)", [
    ...HALF,
    piece([text("20 "), text("[1].")]),
    ...END,
  ]),
  whole("the same with thoughts between", [
    piece([thinking]),
    ...HALF,
    piece([thinking, text("20 [1].")]),
    ...END,
  ]),
  failed("a part of another type", [
    ...HALF,
    piece([{ type: "image_url", image_url: "x" }]),
    ...REST,
    ...END,
  ]),
  failed("text that is an object", [...HALF, piece({ value: "NEVER " }), ...REST, ...END]),
  failed("a part of text without its text", [...HALF, piece([{ type: "text" }]), ...REST, ...END]),
  failed("an object of another interface", [
    ...HALF,
    frame({ type: "response.output_text.delta", delta: "NEVER " }),
    ...REST,
    ...END,
  ]),
  ...[
    ["`delta.text`", chunk({ text: "NEVER " })],
    ["`delta.parts`", chunk({ parts: [{ text: "NEVER " }] })],
    ["`delta.audio`", chunk({ audio: { transcript: "NEVER " } })],
    ["`content` of a choice", chunk({}, {}, { content: "NEVER " })],
    ["`content` of the object", frame({ choices: [], content: "NEVER " })],
    [
      "`delta` of the object",
      frame({ object: "chat.completion.chunk", delta: { content: "NEVER " } }),
    ],
  ].map(([what, other = ""]) => failed(`text in ${what}`, [...HALF, other, ...REST, ...END])),
  whole("text in a choice, beside an empty delta", [
    ...HALF,
    chunk({}, {}, { text: "20 [1]." }),
    ...END,
  ]),
  whole("a delta that is an empty list (PHP)", [
    chunk([]),
    ...HALF,
    ...REST,
    chunk([], {}, { finish_reason: "stop" }),
    DONE,
  ]),
  whole("codes and messages that say that all is well", [
    chunk({ content: "" }, { code: 0, message: "Success", status: "PENDING" }),
    chunk({ content: WHOLE }, { code: 200, msg: "ok", error_code: 0, error_msg: "" }),
    ...END,
  ]),
  whole("members that are not known, beside known ones", [
    chunk({ content: "The quota is 20 [1].", padding: "x" }, { p: "x", nonce: 7 }),
    ...END,
  ]),
  whole("pings, comments, empty objects, figures", [
    ": OPENROUTER PROCESSING\n\n",
    "event: ping\ndata: {}\n\n",
    frame({ type: "ping" }),
    frame({}),
    chunk({}, { choices: [] }),
    ...HALF,
    frame({ choices: [], prompt_filter_results: [] }),
    ...REST,
    ...END,
  ]),
  whole("the last message repeats all", [
    ...HALF,
    ...REST,
    chunk(undefined, {}, { message: { content: WHOLE }, finish_reason: "stop" }),
    DONE,
  ]),
  whole("the last message has what the deltas lack", [
    ...HALF,
    chunk(undefined, {}, { message: { content: WHOLE }, finish_reason: "stop" }),
    DONE,
  ]),
  whole(
    "the last piece repeats all",
    [
      ...HALF,
      ...said("20, as the passage says [1]."),
      chunk(
        { content: "The quota is 20, as the passage says [1]." },
        {},
        { finish_reason: "stop" },
      ),
      DONE,
    ],
    "The quota is 20, as the passage says [1].",
  ),
  whole("each piece has its message, which is that piece", [
    ...["The quota ", "is ", "20 [1]."].map((content) =>
      chunk({ content }, {}, { message: { content } }),
    ),
    ...END,
  ]),
  ...[
    ["", "The quota ", "is ", "20 [1]."],
    ["<think>", SECRET, "</thi", "nk>", "The quota is 20 [1]."],
    ["Run `", "npm ci", "` if 1 <", "2 <", "b>or</b> 3 [", "1]."],
  ].map((pieces) =>
    whole(
      `each piece has its message, which is all so far: ${pieces.length} pieces`,
      [
        ...pieces.map((content, n) =>
          chunk({ content }, {}, { message: { content: pieces.slice(0, n + 1).join("") } }),
        ),
        ...END,
      ],
      pieces.join("").replace(/^<think>.*<.think>/, ""),
    ),
  ),
  failed("the last message differs from the deltas", [
    ...HALF,
    ...REST,
    chunk(undefined, {}, { message: { content: "The quota is 30 [1]." }, finish_reason: "stop" }),
    DONE,
  ]),
  failed("a call of a tool", [...HALF, chunk({ tool_calls: [{ id: "1" }] }), ...END]),
  failed("a refusal", [chunk({ refusal: "I cannot help with that." }), ...END]),
  failed("another answer beside ours", [
    ...HALF,
    chunk({ content: "x" }, {}, { index: 1 }),
    ...END,
  ]),
  failed("a line that is no event, with text in it", [
    ...HALF,
    'content: "NEVER "\n\n',
    ...REST,
    ...END,
  ]),
  failed("bytes that are no UTF-8", [
    ...HALF,
    { bytes: [...Buffer.from('data: {"choices":[{"delta":{"content":"'), 0xff, 0xfe] },
    '"}}]}\n\n',
    ...REST,
    ...END,
  ]),
  ...[
    ["U+200B", "\u200b\u200b"],
    ["NUL", "\u0000"],
    ["white space", " \n\t\u00a0\u3000"],
    ["U+2060, U+FEFF and variation selectors", "\u2060\ufeff\ufe0f\u{e0100}"],
  ].map(([what, blank = ""]) =>
    failed(`nothing but ${what}`, [piece(blank), piece(blank), ...END]),
  ),
  failed("white space without an end, then an end", [{ text: piece(" "), times: 20_000 }, ...END]),

  whole(
    "2,000 characters, one a chunk, of 500 tokens",
    [
      { characters: LONG, count: 2_000 },
      frame({ choices: [], usage: { completion_tokens: 500 } }),
      ...END,
    ],
    LONG.repeat(63).slice(0, 2_000),
  ),

  // --- Its end ---
  whole("`finish_reason: stop` with every piece", [
    ...["The ", "quota ", "is ", "20 ", "[1]."].flatMap((word) => [
      piece(word, "stop"),
      { waitMs: 600 },
    ]),
    DONE,
  ]),
  whole("`finish_reason: stop` with every piece, four seconds apart", [
    ...["The ", "quota is ", "20 [1]."].flatMap((word) => [piece(word, "stop"), { waitMs: 4_000 }]),
    DONE,
  ]),
  whole("a reason before the first text, which comes late", [
    chunk({ role: "assistant" }, {}, { finish_reason: "stop" }),
    { waitMs: 1_500 },
    ...HALF,
    ...REST,
    DONE,
  ]),
  whole("a reason with every thought", [
    chunk({ reasoning_content: SECRET }, {}, { finish_reason: "stop" }),
    { waitMs: 1_500 },
    piece("<think>", "stop"),
    { waitMs: 1_500 },
    piece(`${SECRET}</think>The quota `, "stop"),
    piece("is 20 [1].", "stop"),
    DONE,
  ]),
  ...["null", "in_progress", "", "FINISH_REASON_UNSPECIFIED"].map((word) =>
    whole(`\`finish_reason: "${word}"\` with every piece`, [
      piece("The quota ", word),
      { waitMs: 1_300 },
      piece("is 20 [1].", word),
      ...END,
    ]),
  ),
  whole("text after a reason", [reason("stop"), ...HALF, ...REST, DONE]),
  whole("a reason, and the stream goes on in silence", [...HALF, ...REST, reason("stop"), "hang!"]),
  whole("a reason, and comments for ever", [
    ...HALF,
    ...REST,
    reason("stop"),
    { text: ": alive\n\n", times: 100_000, gapMs: 50 },
  ]),
  whole("an end marker alone", [...HALF, ...REST, DONE]),
  whole("a bare end marker", [...HALF, ...REST, "[DONE]\n\n"]),
  whole("the end of the body after a reason", [...HALF, ...REST, reason("stop")]),
  failed("the end of the body without a reason", [...HALF, ...REST]),
  failed("a broken connection after reasons with every piece", [
    piece("The quota ", "stop"),
    piece("is ", "stop"),
    { waitMs: 100 },
    "cut!",
  ]),
  ...[
    "eos",
    "eos_token",
    "end_turn",
    "stop_sequence",
    "STOP",
    "COMPLETE",
    "stop_word",
    "stopped_eos",
  ].map((word) => whole(`the reason \`${word}\``, [...HALF, ...REST, reason(word), DONE])),
  ...[
    ...["length", "max_tokens", "MAX_TOKENS", "model_length", "maxOutputTokens"],
    ...["context_length_exceeded", "model_context_window_exceeded", "REASON_MAX_LEN"],
    ...["token_limit_reached"],
  ].map((word) => cut(`the reason \`${word}\``, [...HALF, reason(word), DONE])),
  ...[
    ...["content_filter", "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "refusal"],
    ...["sensitive", "guardrail_intervened", "tool_calls", "function_call", "tool_use"],
    ...["error", "abort", "network_error", "insufficient_system_resource", "OTHER", "unload"],
    ...["pause_turn", "ERROR_LIMIT", "USER_CANCEL", "time_limit"],
  ].map((word) => failed(`the reason \`${word}\``, [...HALF, reason(word), DONE])),
  failed("a reason that is no text", [...HALF, reason({ type: "stop" }), DONE]),

  // --- Errors in the middle, followed by the usual end ---
  ...ERRORS.map(([what, ...frames]) =>
    failed(`${what}, then \`[DONE]\``, [...HALF, ...frames, ...END]),
  ),

  // --- Thoughts ---
  whole("`reasoning_content` before the answer", [
    chunk({ reasoning_content: SECRET }),
    chunk({ reasoning: SECRET }),
    ...HALF,
    ...REST,
    ...END,
  ]),
  ...[
    ["<think>", "</think>"],
    ["<Think>", "</THINK>"],
    ["<thinking>", "</thinking>"],
    ["<thought>", "</thought>"],
    ["<reasoning>", "</reasoning>"],
    ['<think type="x">', "</think >"],
    ["[THINK]", "[/THINK]"],
    ["◁think▷", "◁/think▷"],
    ["<seed:think>", "</seed:think>"],
    ["<|START_THINKING|>", "<|END_THINKING|>"],
    ["<|think|>", "<|/think|>"],
    ["<longcat_think>", "</longcat_think>"],
    ["<inner_thoughts>", "</inner_thoughts>"],
    ["<unused94>thought\n", "<unused95>"],
    ["<|channel>thought\n", "<channel|>"],
    ["<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"],
  ].flatMap(([open = "", close = ""]) => [
    whole(`\`${open.trim()}\` before the answer`, [
      ...said(open, SECRET, ` ${SECRET}`, close, "The quota is 20 [1]."),
      ...END,
    ]),
    whole(`\`${open.trim()}\` in the middle, its marks cut`, [
      ...said("The quota ", open.slice(0, 3), open.slice(3), SECRET),
      ...said(close.slice(0, 4), close.slice(4), "is 20 [1]."),
      ...END,
    ]),
  ]),
  whole("harmony's channels one after the other", [
    ...said("<|start|>assistant<|channel|>", "analysis", "<|message|>", SECRET, "<|end|>"),
    ...said(
      "<|start|>",
      "assistant",
      "<|channel|>",
      "commentary",
      "<|message|>",
      SECRET,
      "<|end|>",
    ),
    ...said("<|start|>assistant<|channel|>final<|message|>", "The quota is 20 [1].", "<|return|>"),
    ...END,
  ]),
  ...[
    "Okay, the user asks about the quota.",
    "The user wants to know the quota.",
    "We need to answer from the passages.",
    "Hmm, let me look.",
    "好的，用户想知道配额。",
  ].map((words) =>
    whole(`no opening tag: "${words}"`, [
      ...said(...words.split(/(?<= )/), ` ${SECRET} `, "</think>", "\n\n", "The quota is 20 [1]."),
      ...END,
    ]),
  ),
  whole("no opening tag, one object", [piece(`${SECRET}</think>The quota is 20 [1].`), ...END]),
  failed("no opening tag, and words that no thought begins with", [
    ...said("Twenty it is, or not. "),
    { waitMs: 50 },
    ...said("</think>", "The quota is 20 [1]."),
    ...END,
  ]),
  failed("a thought that does not end", [...said("<think>", SECRET), ...END]),
  failed("a thought in the middle that does not end", [
    ...HALF,
    ...said("<think>", SECRET),
    ...END,
  ]),
  failed("a thought without a tag that was cut", [
    ...said("Okay, ", "the user asks ", SECRET),
    reason("length"),
    DONE,
  ]),
  ...[
    "<|im_end|>",
    "<|eot_id|>",
    "</s>",
    "<end_of_turn>",
    "<｜end▁of▁sentence｜>",
    "<|endoftext|>",
    "<|eos|>",
    "<eot>",
    "<|role_end|>",
  ].map((token) =>
    whole(`a trailing \`${token}\``, [...HALF, ...REST, ...said(token, "\n"), ...END]),
  ),
  failed("text after `<|im_end|>`", [...HALF, ...said("<|im_end|>", "NEVER "), ...REST, ...END]),
  ...[
    ["tags of thoughts in code spans", "Write `<think>` and `</think>` [1]."],
    ["tags of thoughts in a fence", "```html\n<think>\n</think>\n```\nThat is all [1]."],
    ["tags of thoughts that prose names", "Tags such as <think> and </think> are named [1]."],
    ["a tag in quotes", 'The tag "<think>" opens and "</think>" closes a thought [1].'],
    ["a tag in brackets", "Remove the tags (<think>, </think>) first [1]."],
    ["a tag with dots after it", "All in <think>...</think> is hidden [1]."],
    ["a tag that a noun follows", "A <think> block is hidden [1]."],
    [
      "tags of HTML, and one that ends turns in a code span",
      "Strike ~~this~~ <s>out</s> with `` `</s>` `` [1].",
    ],
    ["brackets and marks that mean nothing", "A list [1][think]: <b>bold</b> <|other|>"],
  ].map(([what = "", words = ""]) =>
    whole(what, [{ characters: words, count: words.length }, ...END], words),
  ),
];
