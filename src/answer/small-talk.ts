// What asks nothing of the documents: greetings, thanks, "what is this?".
// It is answered at once, without a search or a model. Pure.

import type { Turn } from "../protocol.ts";
import { withoutCourtesy } from "../text/courtesy.ts";

const WORD = /[\p{L}\p{N}]/u;

/** A whole message that only reacts to an answer. */
const REACTION = whole(
  "ok(?:ay)?|yes|yep|yeah|no|nope|cool|great|nice|perfect|wow|lol|got it|i see|bye|good ?bye|see you",
  "ja|nein|tschüss|sí|oui|non|au revoir|adiós|ciao|tchau|да|нет|пока",
  "好的?|嗯+|哦+|再见|再見|拜拜|是的?|不是|明白了?|知道了|はい|いいえ|さようなら|네|아니요",
);

/** A whole message that asks what the service is. */
const ABOUT_SERVICE = whole(
  "help(?: me)?|(?:what|who)(?: is| s| are| re) (?:this|that|it|you|u|these)(?: (?:for|about|here))?|what (?:can|do|does|could) (?:you|u|this|it) do(?: for me)?|can you help(?: me)?",
  "(?:was|wer) (?:ist|bist|sind) (?:das|dies|du|sie)|was kannst du|qu est ce que c est|c est quoi|qui es tu|qui êtes vous|(?:qué|que) es (?:esto|eso)|quién eres|quien eres|(?:che )?cos è|chi sei|o que é (?:isso|isto)|quem é você|wat is dit|wie ben je|co to jest|kim jesteś|ce este asta|cine ești|bu ne(?:dir)?|sen kimsin",
  "что это(?: такое)?|кто (?:ты|вы)(?: такой| такая)?|что ты умеешь|що це|τι είναι αυτό|ποιος είσαι|ما هذا|من أنت|מה זה|מי אתה|यह क्या है|आप कौन हैं|이게 뭐(?:예요|야|죠)?|이것은 무엇인가요|누구세요|đây là gì|bạn là ai|นี่คืออะไร|คุณคือใคร",
  "(?:[你您]|[这這])是?(?:谁|誰|什么|什麼|啥|哪位)|[你您](?:能|会|會|可以)(?:做|干|幹)?些?(?:什么|什麼|啥)|これは(?:なに|何)(?:ですか)?|あなたは(?:誰|だれ|何)(?:ですか)?|何ができますか",
);

function whole(...messages: readonly string[]): RegExp {
  return new RegExp(`^(?:${messages.join("|")})$`, "iu");
}

/** Whether the documents need not be searched for it. */
export function isSmallTalk(query: string, history: readonly Turn[]): boolean {
  const plain = (text: string) => text.replace(/[^\p{L}\p{M}\p{N}]+/gu, " ").trim();
  if (!WORD.test(query)) return true;
  const asked = plain(withoutCourtesy(query));
  if (asked === "" || REACTION.test(asked)) return true;
  // With a turn before it, "what is this?" asks about that.
  const isFirst = history.length === 0;
  return isFirst && (ABOUT_SERVICE.test(asked) || ABOUT_SERVICE.test(plain(query)));
}

/** By a letter of the script; the first that the message has. */
const REPLIES: readonly (readonly [RegExp, string])[] = [
  [
    /[\p{Script=Hiragana}\p{Script=Katakana}]/u,
    "登録された文書について質問してください。文書の記述をもとに、出典を付けてお答えします。",
  ],
  [/\p{Script=Han}/u, "请就已收录的文档提问，我会依据文档回答，并注明出处。"],
  [
    /\p{Script=Hangul}/u,
    "색인된 문서에 대해 질문해 주세요. 문서의 내용을 바탕으로 출처와 함께 답해 드립니다.",
  ],
  [/\p{Script=Thai}/u, "ถามคำถามเกี่ยวกับเอกสารที่จัดทำดัชนีไว้ได้เลย คำตอบมาจากเอกสารเหล่านั้นพร้อมแหล่งที่มา"],
  [
    /[іїєґ]/iu,
    "Поставте запитання про проіндексовані документи: відповідь береться з них, із зазначенням джерел.",
  ],
  [
    /\p{Script=Cyrillic}/u,
    "Задайте вопрос о проиндексированных документах: ответ берётся из них, с указанием источников.",
  ],
  [
    /\p{Script=Greek}/u,
    "Κάντε μια ερώτηση για τα ευρετηριασμένα έγγραφα: η απάντηση προέρχεται από αυτά, με τις πηγές της.",
  ],
  [/\p{Script=Arabic}/u, "اطرح سؤالًا عن المستندات المفهرسة: تأتي الإجابة منها مع مصادرها."],
  [/\p{Script=Hebrew}/u, "שאלו שאלה על המסמכים שבאינדקס: התשובה באה מהם, עם המקורות שלה."],
  [
    /\p{Script=Devanagari}/u,
    "अनुक्रमित दस्तावेज़ों के बारे में प्रश्न पूछें: उत्तर उन्हीं से, स्रोतों के साथ दिया जाता है।",
  ],
];

/** Says what can be asked, in the language that the script shows. */
export function smallTalk(query: string): string {
  const [, reply] = REPLIES.find(([letter]) => letter.test(query)) ?? [];
  return (
    reply ??
    "Ask a question about the indexed documents: the answer comes from them, with its sources."
  );
}
