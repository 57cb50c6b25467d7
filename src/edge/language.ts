// Which of the page's languages a reader understands best.

/** As in the names of the page's files and in `lang`. */
export const LANGUAGES = ["en", "de", "ja", "zh-Hans", "zh-Hant"] as const;

export type Language = (typeof LANGUAGES)[number];

/** Browsers list a few; without a limit a stranger could list thousands. */
const LISTED_MAX = 64;

/** The language of `?lang=`, or the one that Accept-Language prefers. */
export function preferredLanguage(request: Request): Language {
  const chosen = new URL(request.url).searchParams.get("lang");
  return (
    (chosen === null ? undefined : languageOf(chosen)) ??
    acceptedLanguage(request.headers.get("accept-language") ?? "")
  );
}

/** RFC 9110, section 12.5.4: the highest weight, then the first listed. */
function acceptedLanguage(list: string): Language {
  const ranges = list.split(",", LISTED_MAX).map((item) => {
    const [range = "", ...parameters] = item.split(";").map((part) => part.trim());
    return { language: languageOf(range), weight: weightOf(parameters) };
  });
  const [best] = ranges
    .filter(({ language, weight }) => language !== undefined && weight > 0)
    .sort((one, other) => other.weight - one.weight);
  return best?.language ?? "en";
}

function weightOf(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => /^q=/i.test(parameter))?.slice(2) ?? "1";
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 0;
}

/** The page's language for a tag such as `de-CH`. Undefined if it has none. */
function languageOf(tag: string): Language | undefined {
  const [first, ...others] = tag.toLowerCase().split("-");
  if (first === "zh") return chineseScript(others);
  return LANGUAGES.find((language) => language === first);
}

/** Without a script, the region says which one is read there. */
function chineseScript(subtags: readonly string[]): Language {
  if (subtags.includes("hans")) return "zh-Hans";
  const isTraditional = subtags.some((subtag) => /^(?:hant|tw|hk|mo)$/.test(subtag));
  return isTraditional ? "zh-Hant" : "zh-Hans";
}
