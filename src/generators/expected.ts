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
