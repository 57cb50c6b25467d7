// An operator's accent colour, made readable: darker on light paper and lighter on
// dark paper until its contrast is enough, and the ink for text on it.

/** WCAG AA for text. */
const CONTRAST_MIN = 4.5;
/** The worst backgrounds of theme.css: sunken in the light, raised in the dark. */
const PAPER = { light: "#f3f0ea", dark: "#232220" } as const;
const INK = { white: "#ffffff", black: "#141210" } as const;
/** Of the accent in the tint behind small text, as in theme.css. */
const TINT = 0.1;
const STEP = 0.04;

type Rgb = readonly [number, number, number];

export interface AccentColours {
  readonly light: string;
  readonly dark: string;
  /** The text on each. */
  readonly onLight: string;
  readonly onDark: string;
}

/** Undefined if the text is no colour of 3 or 6 hexadecimal digits. */
export function accentColours(hex: string): AccentColours | undefined {
  const rgb = parsed(hex);
  if (rgb === undefined) return undefined;
  const light = readable(rgb, parsed(PAPER.light) as Rgb, [0, 0, 0]);
  const dark = readable(rgb, parsed(PAPER.dark) as Rgb, [255, 255, 255]);
  return { light: written(light), dark: written(dark), onLight: inkOn(light), onDark: inkOn(dark) };
}

/** The colour, mixed with `towards` until it can be read on paper and on its tint. */
function readable(colour: Rgb, paper: Rgb, towards: Rgb): Rgb {
  for (let share = 0; share < 1; share += STEP) {
    const mixed = mix(colour, towards, share);
    const behind = mix(paper, mixed, TINT);
    if (Math.min(contrast(mixed, paper), contrast(mixed, behind)) >= CONTRAST_MIN) return mixed;
  }
  return towards;
}

function inkOn(colour: Rgb): string {
  const [white, black] = [INK.white, INK.black].map((ink) => contrast(colour, parsed(ink) as Rgb));
  return (white ?? 0) >= (black ?? 0) ? INK.white : INK.black;
}

function contrast(a: Rgb, b: Rgb): number {
  const [dark = 0, bright = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (bright + 0.05) / (dark + 0.05);
}

/** Relative luminance of WCAG. */
function luminance(colour: Rgb): number {
  const [r = 0, g = 0, b = 0] = colour.map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function mix([r, g, b]: Rgb, [r2, g2, b2]: Rgb, share: number): Rgb {
  const part = (one: number, other: number) => Math.round(one + (other - one) * share);
  return [part(r, r2), part(g, g2), part(b, b2)];
}

function parsed(hex: string): Rgb | undefined {
  const [, digits] = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(hex) ?? [];
  if (digits === undefined) return undefined;
  const parts = digits.length === 3 ? [...digits].map((d) => d + d) : (digits.match(/../g) ?? []);
  const [r = 0, g = 0, b = 0] = parts.map((part) => Number.parseInt(part, 16));
  return [r, g, b];
}

function written(colour: Rgb): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
