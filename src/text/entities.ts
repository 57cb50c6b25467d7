// The entities of HTML that models write, as characters. Pure.

/** Sticky. */
export const ENTITY = /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([A-Za-z]\w{1,31}));/y;

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00A0", ensp: "\u2002" },
  ...{ emsp: "\u2003", thinsp: "\u2009", ndash: "–", mdash: "—", hellip: "…", bull: "•" },
  ...{ middot: "·", lsquo: "‘", rsquo: "’", ldquo: "“", rdquo: "”", laquo: "«", raquo: "»" },
  ...{ copy: "©", reg: "®", trade: "™", deg: "°", sect: "§", para: "¶", plusmn: "±" },
  ...{ times: "×", divide: "÷", minus: "−", le: "≤", ge: "≥", ne: "≠", asymp: "≈", infin: "∞" },
  ...{ larr: "←", uarr: "↑", rarr: "→", darr: "↓", harr: "↔", check: "✓", euro: "€" },
  ...{ pound: "£", yen: "¥", cent: "¢", frac12: "½", micro: "µ", shy: "\u00AD", zwj: "\u200D" },
};

/** The character of an entity; an unknown name stays as it is. */
export function decoded(entity: string): string {
  ENTITY.lastIndex = 0;
  const [, decimal, hexadecimal, name = ""] = ENTITY.exec(entity) ?? [];
  const digits = decimal ?? hexadecimal;
  if (digits === undefined) return Object.hasOwn(ENTITIES, name) ? `${ENTITIES[name]}` : entity;
  const code = Number.parseInt(digits, decimal === undefined ? 16 : 10);
  const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : "\uFFFD";
}
