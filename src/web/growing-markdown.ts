// Renders a growing answer: Markdown in, elements out. A closed block is rendered
// once and not touched again. The open one is updated once a frame. No element
// fetches or runs anything: HTML is text, an image is a link, `[n]` opens a source.

import type { Inline } from "../text/inline-tree.ts";
import { type Block, MarkdownBlocks } from "../text/markdown-blocks.ts";
import { inlinesOf } from "../text/markdown-inlines.ts";
import type { Align } from "../text/table-cells.ts";
import { showCode } from "./code.ts";
import { directionOf } from "./direction.ts";
import { element } from "./element.ts";
import { type Cite, update } from "./inlines.ts";
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

/** What an answer needs of the page or the element that shows it. */
export interface Around {
  readonly cite: Cite;
  /** Makes what is shown beside a code block. */
  besideCode(code: () => string): HTMLElement;
  /** Called before each frame. */
  grown?(): void;
}

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
  /** What is shown: of a row one text for each cell. */
  readonly texts: (readonly Inline[])[];
}

export class GrowingMarkdown {
  readonly #blocks = new MarkdownBlocks();
  readonly #shown: Shown;
  readonly #around: Around;
  /** Text that is not parsed yet. */
  #waiting = "";
  #isWhole = false;
  #pace = PACE;
  #cancelFrame: (() => void) | undefined;
  readonly #done = Promise.withResolvers<void>();

  constructor(root: HTMLElement, around: Around) {
    this.#shown = shown("", root);
    this.#around = around;
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
    this.#around.grown?.();
  }

  #draw(): void {
    this.#cancelFrame?.();
    this.#cancelFrame = undefined;
    this.#measure();
    this.#blocks.write(this.#waiting.slice(0, this.#pace));
    this.#waiting = this.#waiting.slice(this.#pace);
    const isEnd = this.#waiting === "" && this.#isWhole;
    if (isEnd) this.#blocks.end();
    this.#show(this.#shown, this.#blocks.root, false);
    if (isEnd) {
      this.#done.resolve();
      return;
    }
    const show = () => this.#show(this.#shown, this.#blocks.root, true);
    if (isUndecided(this.#blocks.line)) show();
    else this.#blocks.peek(show);
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

  /**
   * Renders closed blocks for good, and then, with `isPeek`, the open ones as they
   * are now.
   */
  #show(shown: Shown, block: Block, isPeek: boolean): void {
    let count = 0;
    for (const child of block.children.slice(shown.settled)) {
      const isOpen = this.#blocks.isOpen(child);
      if (!isPeek && isOpen && child.children.length === 0) return;
      // Possibly the first line of a table.
      if (isPeek && isOpen && child.kind === "paragraph" && isUndecided(child.text)) break;
      const view = this.#viewOf(shown, block, count, child);
      this.#show(view, child, isPeek);
      if (!isPeek && isOpen) return;
      this.#fill(view, child);
      if (isPeek) {
        count += 1;
        continue;
      }
      shown.settled += 1;
      shown.open.shift();
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
      const list = listOf(block, (shown.more.length + 1) * CHILDREN_MAX);
      list.className = "part";
      last.after(list);
      return list;
    }
    if (block.kind === "table") {
      const table = element("table");
      last.parentElement?.after(scrolling("table part", table));
      return table;
    }
    const part = element("div", { class: "part" });
    shown.inside.append(part);
    return part;
  }

  #made(block: Block, look: string, columns: readonly Align[], isFirst: boolean): Shown {
    switch (block.kind) {
      case "list":
        return shown(look, listOf(block, 0));
      case "item": {
        if (block.checked === undefined) return shown(look, element("li"));
        const box = element("span", { class: "box" }, block.checked ? "☑" : "☐");
        return shown(look, element("li", { class: "task" }, box));
      }
      case "heading":
        // The question is the page's h2.
        return shown(look, element(`h${Math.min(block.level + 2, 6)}` as "h3"));
      case "code": {
        const code = element("code");
        const beside = this.#around.besideCode(() => code.textContent ?? "");
        const pre = element("pre", { tabindex: "0", dir: "ltr" }, code);
        return shown(look, element("div", { class: "code" }, pre, beside), code);
      }
      case "table": {
        const table = element("table");
        return shown(look, scrolling("table", table), table);
      }
      case "row": {
        const row = element("tr");
        return shown(look, isFirst ? element("thead", {}, row) : row, row, columns);
      }
      case "quote":
        return shown(look, element("blockquote"));
      default:
        return shown(look, element(block.kind === "rule" ? "hr" : "p"));
    }
  }

  /** Updates the text of a block that holds no blocks. */
  #fill(view: Shown, block: Block): void {
    const { inside, texts } = view;
    if (block.kind === "code") {
      showCode(inside, block.text);
    } else if (block.kind === "row") {
      block.cells.forEach((cell, i) => {
        this.#write(view, i, inside.children[i] ?? addCell(view), cell, false);
      });
      while (inside.childElementCount > block.cells.length) inside.lastChild?.remove();
      texts.length = block.cells.length;
    } else if (block.kind === "paragraph" || block.kind === "heading") {
      this.#write(view, 0, inside, block.text, this.#blocks.isOpen(block));
    }
  }

  #write(view: Shown, i: number, place: Element, text: string, isOpen: boolean): void {
    const { root } = this.#shown;
    if (root.dir === "") root.dir = directionOf(text) ?? "";
    const { cite } = this.#around;
    const wanted = inlinesOf(isOpen ? asIfWhole(text) : text, {
      isSource: (n) => cite(n) !== undefined,
      unfinished: isOpen,
      isCell: place !== view.inside,
    });
    update(place, view.texts[i] ?? [], wanted, cite);
    view.texts[i] = wanted;
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
  return [kind, level, start, checked, columns].join();
}

function listOf({ start }: Block, skipped: number): HTMLElement {
  return start === undefined ? element("ul") : element("ol", { start: String(start + skipped) });
}

/** The keyboard must reach what scrolls. */
function scrolling(name: string, inside: HTMLElement): HTMLElement {
  return element("div", { class: name, tabindex: "0" }, inside);
}

function shown(
  look: string,
  root: HTMLElement,
  inside = root,
  columns: readonly Align[] = [],
): Shown {
  return { look, root, inside, columns, more: [], settled: 0, open: [], texts: [] };
}
