// Renders a growing answer: Markdown in, elements out. A closed block is rendered
// once and not touched again. The open one is updated once a frame. No element
// fetches or runs anything: HTML is text, an image is a link, `[n]` opens a source.

import { type Block, MarkdownBlocks } from "../text/markdown-blocks.ts";
import { inlinesOf } from "../text/markdown-inlines.ts";
import type { Align } from "../text/table-cells.ts";
import { copyButton } from "./clipboard.ts";
import { CodeView } from "./code.ts";
import { directionOf } from "./direction.ts";
import { element } from "./element.ts";
import { type Cite, InlineView } from "./inlines.ts";
import { asIfWhole, isUndecided } from "./unfinished.ts";

/** Text a frame shows, in UTF-16 units: at first, at least, at most. */
const PACE = 4_096;
const PACE_MIN = 2_048;
const PACE_MAX = 8_192;
/** In ms. After a slower frame (layout included) the next shows half as much. */
const FRAME_MS = 40;
/** In ms. A hidden page gets no frames: a timer draws instead. */
const UNSEEN_MS = 250;
/** Each growth lays out all children, so more go elsewhere. */
const CHILDREN_MAX = 100;
/** Empty cells that fill up short rows, per answer. */
const PADDING_MAX = 2_000;

/** Below the page's h1 and h2; the question is the h2. */
const HEADINGS = ["h3", "h3", "h4", "h5", "h6", "h6", "h6"] as const;

/** A block on the page. */
interface Shown {
  readonly look: string;
  /** In the parent. Removed if the block turns out to be another kind. */
  readonly root: HTMLElement;
  /** Holds the content of the block. */
  readonly inside: HTMLElement;
  /** Further elements, for more children than CHILDREN_MAX. */
  readonly more: HTMLElement[];
  /** For a row: the columns of its table. */
  readonly columns: readonly Align[];
  /** Number of closed children. `open` holds the others. */
  settled: number;
  readonly open: Shown[];
  readonly texts: InlineView[];
  code: CodeView | undefined;
}

export class Markdown {
  readonly #blocks = new MarkdownBlocks();
  readonly #shown: Shown;
  readonly #cite: Cite;
  readonly #say: (words: string) => void;
  readonly #grown: () => void;
  /** Text that is not parsed yet. */
  #waiting = "";
  #isWhole = false;
  #pace = PACE;
  #padding = 0;
  #cancelFrame: (() => void) | undefined;
  readonly #done = Promise.withResolvers<void>();

  /** `say` reports that code was copied. `grown` is called before each frame. */
  constructor(
    root: HTMLElement,
    cite: Cite,
    say: (words: string) => void,
    grown: () => void = () => {},
  ) {
    this.#shown = shown("", root, root);
    this.#cite = cite;
    this.#say = say;
    this.#grown = grown;
  }

  write(text: string): void {
    this.#waiting += text;
    this.#awaitFrame();
  }

  /** The text is complete. Resolves once all of it is shown. */
  end(): Promise<void> {
    this.#isWhole = true;
    // Usually only a word is left.
    if (this.#waiting.length <= PACE_MIN) this.#draw();
    return this.#done.promise;
  }

  #awaitFrame(): void {
    if (this.#cancelFrame !== undefined) return;
    const draw = () => this.#draw();
    const frame = requestAnimationFrame(draw);
    const timer = setTimeout(draw, UNSEEN_MS);
    this.#cancelFrame = () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
    this.#grown();
  }

  #draw(): void {
    this.#cancelFrame?.();
    this.#cancelFrame = undefined;
    this.#measure();
    this.#blocks.write(this.#waiting.slice(0, this.#pace));
    this.#waiting = this.#waiting.slice(this.#pace);
    if (this.#waiting === "" && this.#isWhole) {
      this.#blocks.end();
      this.#settle(this.#shown, this.#blocks.root);
      this.#done.resolve();
      return;
    }
    this.#settle(this.#shown, this.#blocks.root);
    if (isUndecided(this.#blocks.line)) this.#show(this.#shown, this.#blocks.root);
    else this.#blocks.peek(() => this.#show(this.#shown, this.#blocks.root));
    if (this.#waiting !== "") this.#awaitFrame();
  }

  /** Measures this frame once it is drawn, and sets the pace of the next. */
  #measure(): void {
    const start = performance.now();
    // A frame with little text says nothing about more.
    const isFull = this.#waiting.length >= this.#pace;
    setTimeout(() => {
      const isSlow = performance.now() - start > FRAME_MS;
      if (isSlow) this.#pace = Math.max(this.#pace / 2, PACE_MIN);
      else if (isFull) this.#pace = Math.min(this.#pace * 2, PACE_MAX);
    });
  }

  /** Renders closed blocks. */
  #settle(shown: Shown, block: Block): void {
    for (const child of block.children.slice(shown.settled)) {
      const isOpen = this.#blocks.isOpen(child);
      if (isOpen && child.children.length === 0) return;
      const view = this.#viewOf(shown, block, 0, child);
      this.#settle(view, child);
      if (isOpen) return;
      this.#fill(view, child);
      if (child.kind === "row") this.#fillUp(view, block);
      shown.settled += 1;
      shown.open.shift();
    }
    trim(shown, 0);
  }

  /** Renders open blocks as they are now. */
  #show(shown: Shown, block: Block): void {
    let count = 0;
    for (const child of block.children.slice(shown.settled)) {
      // Possibly the first line of a table.
      if (child.kind === "paragraph" && isUndecided(child.text) && this.#blocks.isOpen(child))
        break;
      const view = this.#viewOf(shown, block, count, child);
      this.#show(view, child);
      this.#fill(view, child);
      count += 1;
    }
    trim(shown, count);
  }

  /** The view of an open child: reused if its look fits, else new. */
  #viewOf(shown: Shown, block: Block, i: number, child: Block): Shown {
    const there = shown.open[i];
    const look = lookOf(child);
    if (there?.look === look) return there;
    trim(shown, i);
    const index = shown.settled + i;
    const view = this.#made(child, look, block.columns, index === 0);
    this.#placeFor(shown, block, index).append(view.root);
    shown.open.push(view);
    return view;
  }

  /** The element that a child of the block goes into. */
  #placeFor(shown: Shown, block: Block, index: number): HTMLElement {
    const n = Math.floor(index / CHILDREN_MAX);
    while (shown.more.length < n) shown.more.push(this.#more(shown, block));
    const place = shown.more[n - 1] ?? shown.inside;
    if (!(place instanceof HTMLTableElement) || index === 0) return place;
    return place.tBodies[0] ?? place.createTBody();
  }

  #more(shown: Shown, block: Block): HTMLElement {
    const last = shown.more.at(-1) ?? shown.inside;
    if (block.kind === "list") {
      const count = (shown.more.length + 1) * CHILDREN_MAX;
      const list = element(block.start === undefined ? "ul" : "ol", { class: "part" });
      if (list instanceof HTMLOListElement) list.start = (block.start ?? 1) + count;
      last.after(list);
      return list;
    }
    if (block.kind === "table") {
      const table = element("table");
      last.parentElement?.after(element("div", { class: "table part", tabindex: "0" }, table));
      return table;
    }
    const part = element("div", { class: "part" });
    shown.inside.append(part);
    return part;
  }

  #made(block: Block, look: string, columns: readonly Align[], isFirst: boolean): Shown {
    switch (block.kind) {
      case "quote":
        return shown(look, element("blockquote"));
      case "list": {
        const start = block.start === 1 ? undefined : block.start?.toString();
        return shown(look, block.start === undefined ? element("ul") : element("ol", { start }));
      }
      case "item": {
        if (block.checked === undefined) return shown(look, element("li"));
        const box = element("span", { class: "box" }, block.checked ? "☑" : "☐");
        return shown(look, element("li", { class: "task" }, box));
      }
      case "heading":
        return shown(look, element(HEADINGS[block.level] ?? "h6"));
      case "code": {
        const code = element("code");
        const copy = copyButton("Copy the code", () => code.textContent ?? "", this.#say);
        // Scrollable, so the keyboard must reach it.
        const pre = element("pre", { tabindex: "0", dir: "ltr" }, code);
        return shown(look, element("div", { class: "code" }, pre, copy), code);
      }
      case "rule":
        return shown(look, element("hr"));
      case "table": {
        const table = element("table");
        return shown(look, element("div", { class: "table", tabindex: "0" }, table), table);
      }
      case "row": {
        const row = element("tr");
        return { ...shown(look, isFirst ? element("thead", {}, row) : row, row), columns };
      }
      default:
        return shown(look, element("p"));
    }
  }

  /** Updates the text of a block that holds no blocks. */
  #fill(view: Shown, block: Block): void {
    const { inside } = view;
    if (block.kind === "code") {
      view.code ??= new CodeView(inside);
      view.code.show(block.text);
    } else if (block.kind === "row") {
      block.cells.forEach((cell, i) => {
        this.#write(view, i, () => addCell(view), cell, false);
      });
      while (inside.childElementCount > block.cells.length) inside.lastChild?.remove();
      view.texts.length = block.cells.length;
    } else if (block.kind === "paragraph" || block.kind === "heading") {
      this.#write(view, 0, () => inside, block.text, this.#blocks.isOpen(block));
    }
  }

  #write(view: Shown, i: number, place: () => HTMLElement, text: string, isOpen: boolean): void {
    const { root } = this.#shown;
    if (root.dir === "") root.dir = directionOf(text) ?? "";
    view.texts[i] ??= new InlineView(place(), this.#cite);
    const isSource = (n: number) => this.#cite(n) !== undefined;
    const reading = { isSource, unfinished: isOpen, isCell: view.look.startsWith("row") };
    view.texts[i].show(inlinesOf(isOpen ? asIfWhole(text) : text, reading));
  }

  /** Adds missing cells to a row. */
  #fillUp(row: Shown, table: Block): void {
    let missing = table.columns.length - row.texts.length;
    for (; missing > 0 && this.#padding < PADDING_MAX; missing -= 1) {
      addCell(row);
      this.#padding += 1;
    }
  }
}

/** The next cell of a row. */
function addCell({ root, inside, columns }: Shown): HTMLElement {
  const cell = element(root === inside ? "td" : "th");
  const align = columns[inside.childElementCount] ?? "";
  if (align !== "") cell.className = align;
  inside.append(cell);
  return cell;
}

/** Removes the open children from index `from` on. */
function trim(shown: Shown, from: number): void {
  for (const { root } of shown.open.splice(from)) root.remove();
}

function lookOf({ kind, level, start, checked, columns }: Block): string {
  return [kind, level, start, checked, columns.join()].join(" ");
}

function shown(look: string, root: HTMLElement, inside: HTMLElement = root): Shown {
  return {
    look,
    root,
    inside,
    more: [],
    columns: [],
    settled: 0,
    open: [],
    texts: [],
    code: undefined,
  };
}
