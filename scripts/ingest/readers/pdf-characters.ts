// Characters of a PDF as they are meant. Many fonts draw a radical and the character of the same form with one glyph,
// so the text has the radical's code point; signs of lists have no code point at all. Pure.

/**
 * Each radical of U+2E80 to U+2EF3 before its character. Source: Unicode's EquivalentUnifiedIdeograph.txt. Those of
 * U+2F00 to U+2FD5 have a compatibility decomposition, which is the same.
 */
const RADICALS = [
  "⺁厂 ⺂乛 ⺃乚 ⺄乙 ⺅亻 ⺆冂 ⺇𠘨 ⺈刀 ⺉刂 ⺊卜 ⺋㔾 ⺌小 ⺍小 ⺎兀 ⺏尣 ⺐尢 ⺑𡯂 ⺒巳 ⺓幺 ⺔彑 ⺕彐 ⺖忄 ⺗心 ⺘扌",
  "⺙攵 ⺛旡 ⺜日 ⺝月 ⺞歺 ⺟母 ⺠民 ⺡氵 ⺢氺 ⺣灬 ⺤爫 ⺥爫 ⺦丬 ⺧牛 ⺨犭 ⺩王 ⺪𤴔 ⺫目 ⺬示 ⺭礻 ⺮𥫗 ⺯糹 ⺰纟 ⺱罓",
  "⺲罒 ⺳㓁 ⺴冗 ⺵𦉫 ⺶羊 ⺷𦍌 ⺸𦍋 ⺹耂 ⺺肀 ⺻聿 ⺼肉 ⺽𦥑 ⺾艹 ⺿艹 ⻀艹 ⻁虎 ⻂衤 ⻃覀 ⻄西 ⻅见 ⻆角 ⻇𧢲 ⻈讠 ⻉贝",
  "⻊𧾷 ⻋车 ⻌辶 ⻍辶 ⻎辶 ⻏邑 ⻐钅 ⻑長 ⻒镸 ⻓长 ⻔门 ⻕𨸏 ⻖阝 ⻗雨 ⻘青 ⻙韦 ⻚页 ⻛风 ⻜飞 ⻝食 ⻞𩙿 ⻟飠 ⻠饣 ⻡𩠐",
  "⻢马 ⻣骨 ⻤鬼 ⻥鱼 ⻦鸟 ⻧卤 ⻨麦 ⻩黄 ⻪黾 ⻫斉 ⻬齐 ⻭歯 ⻮齿 ⻯竜 ⻰龙 ⻱龜 ⻲亀 ⻳龟",
];

/** The same frequent characters in both scripts. */
const SIMPLIFIED = /[这们个为时会说对发学车门过还开关]/g;
const TRADITIONAL = /[這們個為時會說對發學車門過還開關]/g;

const CHARACTERS: ReadonlyMap<string, string> = new Map(
  RADICALS.flatMap((row) =>
    row.split(" ").map((pair) => {
      const [radical = "", character = ""] = pair;
      return [radical, character] as const;
    }),
  ),
);

/** With characters in the place of radicals, and bullets in that of signs without a code point. */
export function withCharacters(text: string): string {
  if (/^\s*[\p{Cc}\p{Co}]\s*$/u.test(text)) return /\S/.test(text) ? "•" : text;
  return text.replace(/[\p{Cc}\p{Co}]/gu, " ").replace(/[\u2e80-\u2fd5]/g, (radical) => {
    return CHARACTERS.get(radical) ?? radical.normalize("NFKC").replace("靑", "青");
  });
}

/** The radical "door" has the form of two characters: fonts for Simplified Chinese draw the simpler one. */
export function withSimplified(text: string): string {
  return count(text, SIMPLIFIED) > count(text, TRADITIONAL) ? text.replaceAll("戶", "户") : text;
}

function count(text: string, characters: RegExp): number {
  return text.match(characters)?.length ?? 0;
}

/** Characters that are written without spaces between words. */
const UNSPACED = "[\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}]";
const STARTS_UNSPACED = new RegExp(`^${UNSPACED}`, "u");
const ENDS_UNSPACED = new RegExp(`${UNSPACED}$`, "u");
const FULL_WIDTH = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}]/u;

export function startsUnspaced(text: string): boolean {
  return STARTS_UNSPACED.test(text);
}

export function endsUnspaced(text: string): boolean {
  return ENDS_UNSPACED.test(text);
}

export function hasFullWidth(text: string): boolean {
  return FULL_WIDTH.test(text);
}

/** Whether a text is of full-width characters only: all fonts give these one width. */
export function isFullWidth(text: string): boolean {
  return FULL_WIDTH.test(text) && !/[!-~]/.test(text);
}
