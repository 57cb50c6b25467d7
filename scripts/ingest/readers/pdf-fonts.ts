// Which fonts of a PDF page are bold, and which are for code.

import type { PDFPageProxy } from "unpdf/pdfjs";
import { hasFullWidth } from "./pdf-characters.ts";

type TextContent = Awaited<ReturnType<PDFPageProxy["getTextContent"]>>;

const BOLD = /bold|black|heavy|demi/i;
const CODE = /mono(?!type)|courier|consol|menlo|inconsolata|typewriter|cmtt|sourcecode|1mn/i;
const NARROW = /[ il.,:;'|!]/;
const WIDE = /[mwMW@]/;
const SAMPLES_MIN = 4;
const SAMPLES_MAX = 200;
/** Of the size of the font. */
const USUAL_DIFFER = 0.05;
const WIDTHS_DIFFER = 0.01;

/** By their names in `styles`. A font says what it is by its name, its flags, or the widths of its characters. */
export function fontsOf(
  { commonObjs }: PDFPageProxy,
  items: TextContent["items"],
  styles: TextContent["styles"],
): { readonly bold: ReadonlySet<string>; readonly code: ReadonlySet<string> } {
  const all = Object.keys(styles);
  // Fonts are loaded with the operators of the page.
  const name = (font: string) =>
    commonObjs.has(font) ? ((commonObjs.get(font) as { name?: string }).name ?? "") : "";
  const samples = Map.groupBy(
    items.filter((item) => "str" in item),
    ({ fontName }) => fontName,
  );
  const isCode = (font: string) =>
    styles[font]?.fontFamily === "monospace" ||
    CODE.test(name(font)) ||
    hasOneWidth(samples.get(font) ?? []);
  return {
    bold: new Set(all.filter((font) => BOLD.test(name(font)))),
    code: new Set(all.filter(isCode)),
  };
}

interface Sample {
  readonly str: string;
  readonly width: number;
  readonly transform: readonly number[];
}

function hasOneWidth(samples: readonly Sample[]): boolean {
  // Fonts with full-width characters give half of that width to all others.
  if (samples.some(({ str }) => hasFullWidth(str))) return false;
  const ascii = samples.filter(({ str }) => /^[!-~]+( [!-~]+)*$/.test(str)).slice(0, SAMPLES_MAX);
  const usual = ascii.map(({ str }) => usualWidth(str));
  const widths = ascii.map(({ str, width, transform }) => {
    return width / str.length / Math.hypot(transform[2] ?? 0, transform[3] ?? 0);
  });
  if (new Set(ascii.map(({ str }) => str)).size < SAMPLES_MIN) return false;
  // Texts of which some would be wider in another font.
  return spread(usual) > USUAL_DIFFER && spread(widths) < WIDTHS_DIFFER;
}

/** Of a character of the text, on average, in a font whose characters have widths of their own. */
function usualWidth(text: string): number {
  const widths = [...text].map((one) => (NARROW.test(one) ? 0.25 : WIDE.test(one) ? 0.85 : 0.55));
  return widths.reduce((sum, width) => sum + width, 0) / widths.length;
}

function spread(numbers: readonly number[]): number {
  return Math.max(...numbers) - Math.min(...numbers);
}
