// A model's text without thoughts and without control tokens of its
// template, as it arrives. The marks of every model family count
// anywhere, except in Markdown code. A possible beginning of a mark is
// held back: at most a few hundred characters. Pure.

export interface Reader {
  /** Text besides thoughts. */
  readonly onText: (text: string) => void;
  /** A marked thought began. */
  readonly onThought: () => void;
  /**
   * A thought ended that nothing opened: the text before it was the
   * thought.
   */
  readonly onUnopened: () => void;
  /** The text has a part that is no answer. */
  readonly onFault: (fault: "tool" | "unreadable") => void;
}

type Mark =
  | { readonly kind: "open" | "close"; readonly family: string }
  /** A new message begins with a header, up to `message`. */
  | { readonly kind: "start" | "channel" | "message" }
  /** The turn ends. A soft end is text if more text follows. */
  | { readonly kind: "end" | "softEnd" }
  | { readonly kind: "call" }
  /** Dropped. */
  | { readonly kind: "skip" };

/** Names of tags like `<think>`, which may have attributes. */
const TAGS = [
  ...["think", "thinking", "thought", "thoughts", "reason", "reasoning", "reflection"],
  ...["scratchpad", "analysis", "inner_monologue", "internal_monologue", "inner_thoughts"],
  ...["chain_of_thought", "rationale", "antthinking", "longcat_think", "seed:think", "mm:think"],
];
/** Of Mistral, Kimi, Cohere, Gemma, MedGemma, OpenThoughts, Apertus. */
const PAIRS = [
  ["[THINK]", "[/THINK]"],
  ["◁think▷", "◁/think▷"],
  ["<|start_thinking|>", "<|end_thinking|>"],
  ["<|channel>", "<channel|>"],
  ["<unused94>", "<unused95>"],
  ["<|begin_of_thought|>", "<|end_of_thought|>"],
  ["<|inner_prefix|>", "<|inner_suffix|>"],
] as const;

const MARKS = new Map<string, Mark>([
  ...TAGS.flatMap((tag): [string, Mark][] => [
    [`<${tag}>`, { kind: "open", family: tag }],
    [`</${tag}>`, { kind: "close", family: tag }],
    [`<${tag}/>`, { kind: "skip" }],
    [`<|${tag}|>`, { kind: "open", family: tag }],
    [`<|/${tag}|>`, { kind: "close", family: tag }],
  ]),
  ...PAIRS.flatMap(([open, close]): [string, Mark][] => [
    [open, { kind: "open", family: open }],
    [close, { kind: "close", family: open }],
  ]),
  // OpenAI's harmony: `<|channel|>analysis<|message|>…<|end|>`, then
  // `<|start|>assistant<|channel|>final<|message|>…`.
  ...marks("start", ["<|start|>", "<|im_start|>", "<|start_header_id|>"]),
  ...marks("channel", ["<|channel|>"]),
  ...marks("message", ["<|message|>", "<|im_sep|>", "<|end_header_id|>"]),
  ...marks("call", ["<|call|>", "<|tool_call|>", "<|python_tag|>", "[TOOL_CALLS]"]),
  ...marks("end", [
    ...["<|end|>", "<|return|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|eot|>"],
    ...["<|end_of_text|>", "<|endoftext|>", "<|end_of_turn|>", "<|end_of_turn_token|>"],
    ...["<|end_of_sentence|>", "<|end_response|>", "<|end_of_solution|>", "<|end_of_role|>"],
    ...["<end_of_turn>", "<turn|>", "<end_of_utterance>", "<|endofassistant|>", "<|endofturn|>"],
    ...["<|im_user|>", "<|user|>", "<|observation|>", "<|eos|>", "<|role_end|>", "<|separator|>"],
  ]),
  ...marks("softEnd", ["</s>", "<eos>", "<pad>", "<eot>", "[EOS]", "</answer>"]),
  ...marks("skip", [
    ...["<|assistant|>", "<|start_response|>", "<|begin_of_solution|>", "<|begin_of_text|>"],
    ...["<|begin_of_sentence|>", "<bos>", "<|constrain|>"],
  ]),
]);

/** The longest mark, with attributes. */
const MARK_LENGTH_MAX = 96;
const CLOSERS: Readonly<Record<string, string>> = { "<": ">", "[": "]", "◁": "▷" };
const TAG_BEGINS = new RegExp(`^</?(?:${TAGS.join("|")})\\s[^<>\\n]*$`);
const TAG = new RegExp(`^(</?(?:${TAGS.join("|")}))(?:\\s[^<>]*?)?(/?>)$`);
/** Words of prose after a tag that it only names. */
const NAMED =
  / (?:and|or|is|are|tags?|tokens?|blocks?|elements?|sections?)(?![a-z])|(?:\.\.\.|…) ?<\//y;
const NAMED_WORDS = ["and", "or", "is", "are", "tags", "tokens", "blocks", "elements", "sections"];
const NAMED_BEGINS = [...NAMED_WORDS.map((word) => ` ${word} `), "...</", "... </", "…</", "… </"];
const NAMED_LENGTH = 10;
/** A tag between these is only named, too. */
const QUOTES = /^(?:["'“‘«„「]["'”’»」]|\([,)])$/;

/** The longest code span. */
const SPAN_LENGTH_MAX = 256;
const HEADER_LENGTH_MAX = 64;
const HELD_LENGTH_MAX = 1024;
/** Enough of a line to tell whether a fence may follow. */
const LINE_START_LENGTH = 12;
const BEFORE_FENCE = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?$/;
const NOTABLE = /[<[◁`~\n]/g;
const NOTABLE_IN_THOUGHT = /[<[◁]/g;

type State =
  | { readonly in: "text" }
  /** It ends at depth 0; `harmony` ends with the next message. */
  | { readonly in: "thought"; readonly family: string; depth: number }
  /** Up to `message`, or to the end of the line. */
  | { readonly in: "header"; text: string; readonly isLine: boolean }
  /** After the turn. Text may follow a soft end, with `held` before it. */
  | { readonly in: "end"; held: string };

const TEXT: State = { in: "text" };
const HARMONY = "harmony";

export class Thoughts {
  readonly #reader: Reader;
  #state: State = TEXT;
  #held = "";
  /** Text of this `read` that the reader does not have yet. */
  #text = "";
  /** Opening tags that prose only names. Each excuses a closing one. */
  #named = 0;
  #fence = "";
  /** The length of the backticks that opened a code span. */
  #span = 0;
  #lineStart = "";
  /** The last character shown. */
  #last = "";

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** Whether the current text is hidden. */
  get isThinking(): boolean {
    return this.#state.in === "thought" || this.#state.in === "header";
  }

  /** Text that may become a mark. */
  get held(): string {
    return this.#held;
  }

  read(text: string): void {
    this.#scan(this.#held + text, false);
  }

  /** Reads text after the text so far. It includes what is held. */
  readOn(text: string): void {
    this.#state = TEXT;
    this.#scan(text, false);
  }

  /** Nothing follows: what is held is text. */
  end(): void {
    this.#scan(this.#held, true);
  }

  #scan(text: string, isLast: boolean): void {
    let at = 0;
    while (at < text.length) {
      const next = this.#step(text, at, isLast);
      if (next === at) break;
      at = next;
    }
    this.#held = text.slice(at);
    this.#tell();
  }

  #tell(): void {
    const text = this.#text;
    this.#text = "";
    if (text !== "") this.#reader.onText(text);
  }

  /**
   * Reads on from an offset. Returns the next one, or the same if it
   * needs more.
   */
  #step(text: string, at: number, isLast: boolean): number {
    const notable = this.#state.in === "text" ? NOTABLE : NOTABLE_IN_THOUGHT;
    notable.lastIndex = at;
    const found = notable.exec(text)?.index ?? text.length;
    if (found > at) {
      this.#pass(text.slice(at, found));
      return found;
    }
    const character = text[at] as string;
    if (character === "\n") {
      this.#pass(character);
      this.#span = 0;
      return at + 1;
    }
    if (character === "`" || character === "~") return this.#readRun(text, at, isLast);
    return this.#readMark(text, at, isLast);
  }

  /** Text between marks, shown or hidden. */
  #pass(text: string): void {
    const state = this.#state;
    if (state.in === "text") this.#show(text);
    if (state.in === "header") {
      const lineEnd = state.isLine ? text.indexOf("\n") : -1;
      state.text = (state.text + text).slice(0, HEADER_LENGTH_MAX);
      if (lineEnd < 0) return;
      this.#state = TEXT;
      this.#show(text.slice(lineEnd + 1));
    }
    if (state.in === "end") {
      const isBlank = text.trim() === "";
      if (state.held === "") {
        if (!isBlank) this.#reader.onFault("unreadable");
      } else if (isBlank) state.held = (state.held + text).slice(0, HELD_LENGTH_MAX);
      else {
        this.#state = TEXT;
        this.#show(state.held + text);
      }
    }
  }

  #show(text: string): void {
    this.#text += text;
    this.#last = text.slice(-1);
    const line = text.slice(text.lastIndexOf("\n") + 1);
    const before = line.length < text.length ? "" : this.#lineStart;
    this.#lineStart = (before + line).slice(0, LINE_START_LENGTH);
  }

  /** Backticks or tildes, where code begins or ends. */
  #readRun(text: string, at: number, isLast: boolean): number {
    const [run = ""] = /^(?:`+|~+)/.exec(text.slice(at)) ?? [];
    const end = at + run.length;
    if (end === text.length && !isLast && run.length < SPAN_LENGTH_MAX) return at;
    const mayFence = run.length >= 3 && BEFORE_FENCE.test(this.#lineStart);
    if (this.#fence !== "") {
      if (mayFence && run.startsWith(this.#fence)) this.#fence = "";
    } else if (mayFence) this.#fence = run;
    else if (run.startsWith("`")) {
      if (this.#span === 0) this.#span = run.length;
      else if (this.#span === run.length) this.#span = 0;
    }
    this.#show(run);
    return end;
  }

  #readMark(text: string, at: number, isLast: boolean): number {
    const passed = () => {
      this.#pass(text[at] as string);
      return at + 1;
    };
    if (this.#fence !== "" && this.#state.in === "text") return passed();
    const found = markAt(text, at, isLast);
    if (found === "unfinished") return at;
    if (found === undefined) return passed();
    const { mark, end } = found;
    if (this.#state.in === "text" && this.#span > 0) {
      const isCode = this.#isInSpan(text, at, isLast);
      if (isCode === undefined) return at;
      if (isCode) return passed();
      this.#span = 0;
    }
    if (mark.kind === "open" || mark.kind === "close") {
      const isText = this.#state.in === "text";
      const isNamed =
        mark.kind === "open" ? named(text, end, isLast, this.#last) : isText && this.#named > 0;
      if (isNamed === undefined) return at;
      if (isNamed) {
        if (isText) this.#named += mark.kind === "open" ? 1 : -1;
        return passed();
      }
    }
    this.#apply(mark, text.slice(at, end));
    return end;
  }

  /** Whether the code span ends in the line; undefined if unknown yet. */
  #isInSpan(text: string, at: number, isLast: boolean): boolean | undefined {
    const rest = text.slice(at, at + SPAN_LENGTH_MAX);
    const [line = ""] = rest.split("\n", 1);
    const isCode = line.match(/`+/g)?.some(({ length }) => length === this.#span) === true;
    if (isCode && !(line.endsWith("`") && line.length === rest.length && !isLast)) return true;
    if (line.length < rest.length || rest.length === SPAN_LENGTH_MAX || isLast) return isCode;
    return undefined;
  }

  #apply(mark: Mark, source: string): void {
    const state = this.#state;
    switch (mark.kind) {
      case "open":
        if (state.in === "thought") {
          if (state.family === mark.family) state.depth += 1;
        } else if (state.in !== "header") this.#think(mark.family);
        break;
      case "close":
        if (state.in === "thought") {
          if (state.family === mark.family) state.depth -= 1;
          if (state.depth === 0) this.#state = TEXT;
        } else if (state.in !== "header") this.#unopened();
        break;
      case "start":
      case "channel":
        this.#startMessage(mark.kind, source);
        break;
      case "message":
        if (state.in === "header") this.#endHeader(state.text);
        break;
      case "end":
      case "softEnd":
        // In other thoughts it is only named.
        if (state.in === "thought" && state.family === HARMONY) {
          this.#state = { in: "header", text: "", isLine: false };
        } else if (state.in === "text" || (state.in === "end" && state.held !== "")) {
          this.#state = { in: "end", held: mark.kind === "end" ? "" : source };
        }
        break;
      case "call":
        if (state.in !== "thought" || state.family === HARMONY) this.#reader.onFault("tool");
        break;
      case "skip":
        break;
    }
  }

  #startMessage(kind: "start" | "channel", source: string): void {
    const state = this.#state;
    if (state.in === "thought" && state.family !== HARMONY) return;
    // The start of another turn: the model has run on past its own.
    const isChat = kind === "start" && source.toLowerCase() !== "<|start|>";
    if (isChat && state.in === "end") {
      this.#reader.onFault("unreadable");
      return;
    }
    const text = kind === "channel" ? "channel:" : "";
    this.#state = { in: "header", text, isLine: source.toLowerCase() === "<|im_start|>" };
  }

  #endHeader(header: string): void {
    const [, channel] = /^channel:\s*(\w*)/.exec(header) ?? [];
    if (channel === undefined || channel === "final" || channel === "") this.#state = TEXT;
    else this.#think(HARMONY);
  }

  #think(family: string): void {
    this.#tell();
    this.#last = "";
    this.#state = { in: "thought", family, depth: 1 };
    this.#reader.onThought();
  }

  #unopened(): void {
    this.#tell();
    this.#state = TEXT;
    this.#fence = "";
    this.#span = 0;
    this.#lineStart = "";
    this.#last = "";
    this.#reader.onUnopened();
  }
}

/** The mark at an offset, or `unfinished` if one may begin there. */
function markAt(
  text: string,
  at: number,
  isLast: boolean,
): { readonly mark: Mark; readonly end: number } | "unfinished" | undefined {
  const opener = text[at] as string;
  const window = text.slice(at, at + MARK_LENGTH_MAX);
  const end = window.indexOf(CLOSERS[opener] as string);
  if (end > 0) {
    const mark = MARKS.get(canonical(window.slice(0, end + 1)));
    return mark && { mark, end: at + end + 1 };
  }
  if (isLast || window.length === MARK_LENGTH_MAX) return undefined;
  const beginning = plain(window);
  if (TAG_BEGINS.test(beginning)) return "unfinished";
  for (const known of MARKS.keys()) if (known.startsWith(beginning)) return "unfinished";
  return undefined;
}

/**
 * Without case and variants of characters. `[THINK]` keeps its case:
 * `[think]` is prose.
 */
function plain(mark: string): string {
  return (mark.startsWith("[") ? mark : mark.toLowerCase())
    .replace(/｜/g, "|")
    .replace(/▁/g, "_")
    .replace(/^([<[]\/?)\s+/, "$1")
    .replace(/^([<[])\s*\/\s*/, "$1/");
}

/** A mark as MARKS has it: without case, spaces and attributes. */
function canonical(mark: string): string {
  return plain(mark)
    .replace(TAG, "$1$2")
    .replace(/\s+(?=[>\]]$)/, "");
}

/**
 * Whether prose only names a tag, by the text after it; undefined if
 * unknown yet.
 */
function named(text: string, end: number, isLast: boolean, before: string): boolean | undefined {
  if (QUOTES.test(before + text.slice(end, end + 1))) return true;
  NAMED.lastIndex = end;
  const rest = text.slice(end, end + NAMED_LENGTH);
  if (!isLast && rest.length < NAMED_LENGTH) {
    if (NAMED_BEGINS.some((words) => words.startsWith(rest))) return undefined;
  }
  return NAMED.test(text);
}

function marks(kind: Exclude<Mark["kind"], "open" | "close">, sources: readonly string[]) {
  return sources.map((source): [string, Mark] => [source, { kind }]);
}
