// "Nothing was found": the mark with which a generator begins an answer that
// says only that, and the sentence in the language of a question. The mark
// looks like a citation of no passage, so models that can cite can write it.
// opening.ts takes it off. Pure.

import { queryLanguage } from "../text/analyzer.ts";
import type { Language } from "../text/stop-words.ts";

export const NOTHING_FOUND = "[0]";

const LATIN: Readonly<Record<Language, string>> = {
  en: "I found nothing about that in the indexed documents.",
  de: "Dazu habe ich in den indexierten Dokumenten nichts gefunden.",
  fr: "Je n'ai rien trouvé à ce sujet dans les documents indexés.",
  es: "No he encontrado nada sobre eso en los documentos indexados.",
  pt: "Não encontrei nada sobre isso nos documentos indexados.",
  it: "Non ho trovato nulla al riguardo nei documenti indicizzati.",
  nl: "Daarover heb ik niets gevonden in de geïndexeerde documenten.",
  sv: "Jag hittade inget om det i de indexerade dokumenten.",
  da: "Jeg fandt intet om det i de indekserede dokumenter.",
  pl: "Nie znalazłem nic na ten temat w zindeksowanych dokumentach.",
  cs: "V indexovaných dokumentech jsem o tom nic nenašel.",
  ro: "Nu am găsit nimic despre asta în documentele indexate.",
  tr: "Dizine eklenen belgelerde bununla ilgili bir şey bulamadım.",
  vi: "Tôi không tìm thấy gì về điều đó trong các tài liệu đã lập chỉ mục.",
  id: "Saya tidak menemukan apa pun tentang itu dalam dokumen yang diindeks.",
  fi: "En löytänyt siitä mitään indeksoiduista asiakirjoista.",
  hu: "Erről nem találtam semmit az indexelt dokumentumokban.",
};

/** By a letter of the script; the first that the question has. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [
    /[\p{Script=Hiragana}\p{Script=Katakana}]/u,
    "登録された文書には、それについての記述が見つかりませんでした。",
  ],
  [/\p{Script=Han}/u, "在已收录的文档中没有找到与此有关的内容。"],
  [/\p{Script=Hangul}/u, "색인된 문서에서 그에 대한 내용을 찾지 못했습니다."],
  [/\p{Script=Thai}/u, "ไม่พบข้อมูลเกี่ยวกับเรื่องนี้ในเอกสารที่จัดทำดัชนีไว้"],
  [/[іїєґ]/iu, "У проіндексованих документах про це нічого не знайдено."],
  [/\p{Script=Cyrillic}/u, "В проиндексированных документах об этом ничего не найдено."],
  [/\p{Script=Greek}/u, "Δεν βρήκα τίποτα σχετικό στα ευρετηριασμένα έγγραφα."],
  [/\p{Script=Arabic}/u, "لم أجد شيئًا عن ذلك في المستندات المفهرسة."],
  [/\p{Script=Hebrew}/u, "לא מצאתי על כך דבר במסמכים שבאינדקס."],
  [/\p{Script=Devanagari}/u, "अनुक्रमित दस्तावेज़ों में मुझे इसके बारे में कुछ नहीं मिला।"],
];

/** Says that nothing was found, in the language of the question. */
export function nothingFound(query: string): string {
  const [, text] = OTHERS.find(([letter]) => letter.test(query)) ?? [];
  return text ?? LATIN[queryLanguage(query) ?? "en"];
}
