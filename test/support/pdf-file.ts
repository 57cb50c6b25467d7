// A PDF, written by hand: text and lines at given places, in points from the left and the bottom.

interface Style {
  readonly size?: number;
  readonly font?: "plain" | "bold" | "code";
}

export interface Page {
  /** What `text`, `line`, `box` and `fill` give, or operators of PDF. */
  readonly content: readonly string[];
  readonly width?: number;
  readonly height?: number;
  readonly rotate?: 90 | 180 | 270;
}

const FONTS = { plain: "Helvetica", bold: "Helvetica-Bold", code: "Courier" };

export function text(
  x: number,
  y: number,
  words: string,
  { size = 10, font = "plain" }: Style = {},
) {
  return `BT /${font} ${size} Tf ${x} ${y} Td (${words.replace(/[\\()]/g, "\\$&")}) Tj ET`;
}

export function line(x: number, y: number, toX: number, toY: number): string {
  return `${x} ${y} m ${toX} ${toY} l S`;
}

export function box(x: number, y: number, width: number, height: number): string {
  return `${x} ${y} ${width} ${height} re S`;
}

export function fill(x: number, y: number, width: number, height: number): string {
  return `0.9 g ${x} ${y} ${width} ${height} re f 0 g`;
}

export function pdfFile(...pages: readonly Page[]): Uint8Array {
  const fonts = Object.keys(FONTS).map((name, i) => `/${name} ${i + 3} 0 R`);
  const first = 3 + fonts.length;
  const kids = pages.map((_, i) => `${first + i * 2} 0 R`);
  return pdfOf(
    "<</Type/Catalog/Pages 2 0 R>>",
    `<</Type/Pages/Kids[${kids.join(" ")}]/Count ${kids.length}/Resources<</Font<<${fonts.join("")}>>>>>>`,
    ...Object.values(FONTS).map((name) => `<</Type/Font/Subtype/Type1/BaseFont/${name}>>`),
    ...pages.flatMap(({ content, width = 595, height = 842, rotate = 0 }, i) => [
      `<</Type/Page/Parent 2 0 R/MediaBox[0 0 ${width} ${height}]/Rotate ${rotate}/Contents ${first + i * 2 + 1} 0 R>>`,
      pdfStream("", content.join("\n")),
    ]),
  );
}

/** Of its objects, the first of which is the root. */
export function pdfOf(...objects: readonly string[]): Uint8Array {
  const numbered = objects.map((object, i) => `${i + 1} 0 obj${object}endobj\n`);
  return Buffer.from(`%PDF-1.4\n${numbered.join("")}trailer<</Root 1 0 R>>\n`, "latin1");
}

export function pdfStream(facts: string, content: string): string {
  return `<<${facts}/Length ${content.length}>>stream\n${content}\nendstream `;
}
