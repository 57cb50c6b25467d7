// The reader of PDF: text in reading order as Markdown, with an anchor for each
// page, so that a source links to `#page=N`.

import { getDocumentProxy, getResolvedPDFJS } from "unpdf";
import { withDrawnTables } from "./pdf-cells.ts";
import { isFullWidth, withCharacters, withSimplified } from "./pdf-characters.ts";
import { fontsOf } from "./pdf-fonts.ts";
import { type Item, type Line, linesOf } from "./pdf-lines.ts";
import { MARGIN } from "./pdf-margins.ts";
import { type Matrix, times } from "./pdf-matrix.ts";
import { paragraphs } from "./pdf-paragraphs.ts";
import { strokesOf } from "./pdf-strokes.ts";
import type { Read } from "./read.ts";

const PAGES_MAX = 2_000;
/** Later pages are read by their text alone, without their lines and the names of fonts: these take a third of the time. */
const DRAWN_PAGES_MAX = 500;
/** A page with fewer visible characters than this has no text. */
const CHARACTERS_MIN = 8;

export async function readPdf(bytes: Uint8Array): Promise<Read> {
  let document: Awaited<ReturnType<typeof getDocumentProxy>>;
  try {
    document = await getDocumentProxy(new Uint8Array(bytes), {
      isEvalSupported: false,
      // Pictures are not looked at.
      maxImageSize: 1,
      verbosity: 0,
    });
  } catch (error) {
    const { name } = error as Error;
    const reason =
      name === "PasswordException" ? "it asks for a password." : "it is damaged, or no PDF.";
    return { reason };
  }
  if (document.numPages > PAGES_MAX) {
    return { reason: `it has ${document.numPages} pages. The limit is ${PAGES_MAX}: split it.` };
  }
  const { OPS } = await getResolvedPDFJS();
  const pages: Line[][] = [];
  const heights: number[] = [];
  const empty: number[] = [];
  for (let number = 1; number <= document.numPages; number += 1) {
    const page = await document.getPage(number);
    const { width, height, transform } = page.getViewport({ scale: 1 });
    // The viewport is turned as the page is shown, and counts from the top.
    const upright = times([1, 0, 0, -1, 0, height], transform as unknown as Matrix);
    const { items, styles } = await page.getTextContent();
    // Without the boxes of forms, which are drawn elsewhere.
    const operators =
      number > DRAWN_PAGES_MAX ? undefined : await page.getOperatorList({ annotationMode: 0 });
    const fonts = fontsOf(page, items, styles);
    const texts: Item[] = [];
    for (const item of items) {
      if (!("str" in item) || item.str === "") continue;
      const [a, b, c, d, x, y] = times(upright, item.transform as unknown as Matrix);
      // Text on its side is a watermark or a stamp.
      if (Math.abs(b) > Math.abs(a) * 0.2 || Math.hypot(c, d) === 0) continue;
      texts.push({
        text: withCharacters(item.str),
        ...{ x, y, width: item.width, size: Math.hypot(c, d) },
        isCode: fonts.code.has(item.fontName) && !isFullWidth(item.str),
        isBold: fonts.bold.has(item.fontName),
      });
    }
    const length = texts
      .filter(({ y }) => y > height * MARGIN && y < height * (1 - MARGIN))
      .reduce((sum, { text }) => sum + text.replace(/\s/g, "").length, 0);
    if (length < CHARACTERS_MIN) empty.push(number);
    const strokes = operators === undefined ? [] : strokesOf(operators, OPS, upright);
    const lines = linesOf(withDrawnTables(texts, strokes), width);
    heights.push(height);
    pages.push(lines);
    page.cleanup();
  }
  const { info } = (await document.getMetadata().catch(() => ({ info: {} }))) as {
    info: { Title?: unknown };
  };
  await document.destroy();
  if (empty.length === pages.length) {
    return {
      reason: "it has no text: its pages are pictures (scanned). Recognize the text first.",
    };
  }
  const title = typeof info.Title === "string" ? info.Title.trim() : "";
  const notes =
    empty.length === 0
      ? []
      : [
          `${empty.length} of ${pages.length} pages have no text (scanned, or empty): ${ranges(empty)}.`,
        ];
  return {
    text: withSimplified(paragraphs(pages, heights)),
    title:
      /^(?:untitled|.*\.(?:docx?|pdf|tex|html?|indd)|microsoft word.*|about:blank)$/i.test(title) ||
      title === ""
        ? undefined
        : title,
    notes,
  };
}

/** `1, 4-6` */
function ranges(numbers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(", ");
}
