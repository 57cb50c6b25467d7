// Where an answer goes: a terminal, or a file or program, which may want JSON.

import type { Outcome, Source } from "../../src/client/client.ts";
import type { AnswerBody } from "../../src/protocol.ts";
import { printableJson, printableText } from "../printable.ts";
import { type Cost, costLine, sourceLines } from "./closing.ts";
import { type Line, painted, run, wrap } from "./lines.ts";
import { Markdown } from "./markdown.ts";
import { Screen } from "./screen.ts";

export interface View {
  /** What is happening. Files do not show it. */
  status(words: string): void;
  sources(sources: readonly Source[]): void;
  token(text: string): void;
  /** The answer is whole. */
  whole(outcome: Outcome, cost: () => Promise<Cost>): Promise<void>;
  /** It is not, and an error follows. */
  broken(): void;
}

/** More is too long to read. */
const WIDTH_MAX = 100;
const FRAME_MS = 40;
/** A frame that takes long is followed by as many pauses of its length. */
const PAUSES = 3;

/** Writing to a closed pipe is the caller's to notice. */
export function viewOf(output: NodeJS.WriteStream, isJson: boolean): View {
  if (isJson) return new JsonView();
  const isTerminal = output.isTTY && process.env.TERM !== "dumb" && output.columns > 0;
  return isTerminal ? new TerminalView(output) : new PlainView(output);
}

/** One object, once the answer is whole. */
class JsonView implements View {
  status(): void {}
  sources(): void {}
  token(): void {}
  broken(): void {}

  async whole({ queryId, text: answer, ...rest }: Outcome): Promise<void> {
    const body: AnswerBody = { queryId, answer, ...rest };
    console.log(printableJson(body));
  }
}

/** A text, which its sources and its cost follow. */
abstract class TextView implements View {
  abstract readonly width: number;
  abstract status(words: string): void;
  abstract sources(sources: readonly Source[]): void;
  abstract token(text: string): void;
  abstract end(isWhole: boolean): void;
  abstract print(lines: readonly Line[]): void;

  async whole(outcome: Outcome, cost: () => Promise<Cost>): Promise<void> {
    this.end(true);
    this.print(sourceLines(outcome, this.width));
    const cut =
      outcome.finish === "length"
        ? "The answer reached its longest length: raise --max-tokens. "
        : "";
    const line = cut + costLine(outcome, await cost());
    this.print([[], ...wrap([run(line, "dim")], this.width)]);
  }

  broken(): void {
    this.end(false);
  }
}

/** Markdown as it comes. */
class PlainView extends TextView {
  readonly width = Infinity;
  readonly #output: NodeJS.WritableStream;
  /** It may be half of a character or of a line end. */
  #held = "";
  #isInLine = false;

  constructor(output: NodeJS.WritableStream) {
    super();
    this.#output = output;
  }

  status(): void {}

  sources(): void {}

  token(text: string): void {
    const whole = this.#held + text;
    this.#held = /[\ud800-\udbff\r]$/.exec(whole)?.[0] ?? "";
    this.#write(whole.slice(0, whole.length - this.#held.length));
  }

  end(): void {
    this.#write(this.#held);
    this.#held = "";
    if (this.#isInLine) this.#write("\n");
  }

  print(lines: readonly Line[]): void {
    for (const line of lines) this.#write(`${painted(line, false)}\n`);
  }

  #write(text: string): void {
    if (text === "") return;
    this.#isInLine = !text.endsWith("\n");
    this.#output.write(printableText(text));
  }
}

class TerminalView extends TextView {
  readonly #output: NodeJS.WriteStream;
  readonly #isStyled: boolean;
  readonly #screen: Screen;
  readonly #markdown = new Markdown((n) => this.#sources.some((source) => source.n === n));
  #sources: readonly Source[] = [];
  #status = "";
  #hasText = false;
  #frameMs = FRAME_MS;
  #timer: NodeJS.Timeout | undefined;

  constructor(output: NodeJS.WriteStream) {
    super();
    this.#output = output;
    this.#screen = new Screen(output);
    // False with NO_COLOR.
    this.#isStyled = output.hasColors();
  }

  get width(): number {
    return Math.min(WIDTH_MAX, this.#output.columns);
  }

  status(words: string): void {
    this.#status = words;
    this.#later();
  }

  sources(sources: readonly Source[]): void {
    this.#sources = sources;
  }

  token(text: string): void {
    this.#markdown.write(text);
    this.#hasText = true;
    this.#status = "";
    this.#later();
  }

  end(isWhole: boolean): void {
    clearTimeout(this.#timer);
    this.#markdown.end();
    this.#status = "";
    this.#draw();
    if (!isWhole && this.#hasText) this.print([[]]);
  }

  print(lines: readonly Line[]): void {
    for (const line of lines) this.#output.write(`${painted(line, this.#isStyled)}\n`);
  }

  #later(): void {
    this.#timer ??= setTimeout(() => this.#draw(), this.#frameMs);
  }

  #draw(): void {
    this.#timer = undefined;
    const start = performance.now();
    const lines = this.#markdown.lines({ width: this.width, isStyled: this.#isStyled });
    if (this.#status !== "") {
      if (lines.length > 0) lines.push("");
      lines.push(painted([run(this.#status, "dim")], this.#isStyled));
    }
    this.#screen.draw(lines);
    this.#frameMs = Math.max(FRAME_MS, PAUSES * (performance.now() - start));
  }
}
