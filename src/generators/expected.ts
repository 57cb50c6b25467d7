// What a question expects as its answer. Pure.

const CODE =
  /^[^\p{L}]*how\b(?! (?:many|much|long|often|large|big|old|far|fast|high|come))|\b(?:how (?:do|can|to|would|should|could)|commands?|snippets?|sample|syntax|example)\b|怎么|如何|怎样|示例|例子|代码|命令|写法|どうやって|コマンド|어떻게/iu;

/** Whether a command or code may be the answer. */
export function expectsCode(query: string): boolean {
  return CODE.test(query);
}

const LIST = /^[^\p{L}]*(?:which|what)\b|\blist of\b|哪些|哪几|有什么|都有/iu;

/** Whether a list or a table may be the answer. */
export function expectsList(query: string): boolean {
  return LIST.test(query);
}

const NUMBER =
  /\bhow (?:many|much|long|often|large|big|old|far|fast|high|tall|deep|wide|few|late|early)\b|\b(?:max(?:imum|imal)?|min(?:imum|imal)?|limits?|number|amount|percent(?:age)?|price|costs?|ports?|(?:what|which) (?:size|year|date|day|time|age|version))\b|多少|几(?:个|次|天|种|年|倍|位|级|层|岁|点|秒|分)|多(?:久|长|大|高|远|快|宽|深|重)|最(?:多|大|小|少|高|低|长|短)|上限|下限|端口/iu;

/** Whether a number may be the answer. */
export function expectsNumber(query: string): boolean {
  return NUMBER.test(query);
}

const HAS_NUMBER =
  /\p{Nd}|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|ninety|hundred|thousand|million|billion|dozen|half|once|twice|unlimited)\b|[〇零一二两三四五六七八九十百千万亿半][个次天年月日种秒分小周倍位级层点]/iu;

export function hasNumber(text: string): boolean {
  return HAS_NUMBER.test(text);
}
