// What asks nothing of the documents: greetings, thanks, "what is this?".
// It is answered at once, without a search or a model. Pure.

import type { Turn } from "../protocol.ts";
import { tellingCount } from "../text/analyzer.ts";
import { withoutCourtesy } from "../text/courtesy.ts";

const WORD = /[\p{L}\p{N}]/u;

/** A whole message that reacts, or asks about the service. */
const WHOLE =
  /^(?:ok(?:ay)?|yes|yep|yeah|no|nope|cool|great|nice|perfect|wow|lol|got it|i see|bye|good ?bye|see you|help|好的?|嗯+|哦+|再见|拜拜|是的?|不是|明白了?|知道了|はい|いいえ|さようなら|네|아니요|да|нет|пока|ja|nein|tschüss|sí|oui|non|au revoir|adiós|ciao|tchau|(?:[你您]|[这這])是?(?:谁|誰|什么|什麼|啥|哪位)|[你您](?:能|会|會|可以)(?:做|干|幹)?(?:些)?(?:什么|什麼|啥)|これはなに(?:ですか)?|これは何(?:ですか)?|あなたは(?:誰|だれ|何)(?:ですか)?|何ができますか|кто (?:ты|вы)(?: такой| такая)?|что ты умеешь)$/iu;

/** Fewer telling words than this ask about nothing: a Chinese pair may be one of none. */
const TELLING_MIN = 0.5;

/** Words for the service itself and for what a reader sees. */
const SELF =
  /(?<![\p{L}\p{M}\p{N}])(?:this|that|it|you|u|das|dies|du|sie|c|ça|tu|vous|esto|eso|tú|usted|isso|isto|você|questo|lei|это|ты|вы|bu|siz|sen|αυτό|εσύ|هذا|أنت|انت|זה|אתה|यह|आप|이것|이게|당신)(?![\p{L}\p{M}\p{N}])|[你您这這]|これ|それ|あなた|นี่|คุณ/iu;

/** Whether the documents need not be searched for it. */
export function isSmallTalk(query: string, history: readonly Turn[]): boolean {
  const asked = withoutCourtesy(query)
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, " ")
    .trim();
  if (!WORD.test(query)) return true;
  if (asked === "" || WHOLE.test(asked)) return true;
  // With a turn before it, "what is this?" asks about that.
  return history.length === 0 && tellingCount(query) < TELLING_MIN && SELF.test(query);
}

const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/u;
const HAN = /\p{Script=Han}/u;

/** Says what can be asked, in the language of the message. */
export function smallTalk(query: string): string {
  if (KANA.test(query)) {
    return "登録された文書について質問してください。文書の記述をもとに、出典を付けてお答えします。";
  }
  if (HAN.test(query)) return "请就已收录的文档提问，我会依据文档回答，并注明出处。";
  return "Ask a question about the indexed documents: the answer comes from them, with its sources.";
}
