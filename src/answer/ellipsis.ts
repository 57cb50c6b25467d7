// Whether a question leaves its subject to the turn before it: it begins
// with "and", has a pronoun without its noun, or hardly a telling word.
// The lists have words of many languages, and none of any subject. Pure.

import { tellingCount } from "../text/analyzer.ts";
import { endsAsQuestion } from "../text/clauses.ts";
import { withoutCourtesy } from "../text/courtesy.ts";

/** In UTF-16 units. A longer text says itself what it is about. */
const LENGTH_MAX = 200;
/** A pronoun after this number of telling words may mean one of them. */
const NOUNS_MIN = 2;
/** With fewer telling words, a question needs those of the one before. */
const TELLING_MIN = 1.5;

const OPENINGS = [
  "and|but|or|so|then|also|plus|otherwise|(?:what|how) about",
  "und|aber|oder|dann|et|mais|ou|alors|y|pero|entonces|e|mas|ma|allora|en|maar|dan|och|men|og|eller|ja|mutta|tai",
  "dar|și|şi|deci|а|и|но|или|тогда|и|та|але|або|και|αλλά|peki|ya|ve|ama|còn|vậy|thế|dan|tapi|lalu|और|लेकिन|तो",
  "그럼|그러면|그리고|그런데|하지만",
].join("|");
const UNSPACED_OPENINGS = "那|还有|還有|然后|然後|另外|但是?|では|じゃあ?|それ|そして|でも|แล้ว";
// Arabic and Hebrew write "and" as a part of the next word.
const JOINED_OPENINGS =
  "و(?:ماذا|كيف|هل|متى|أين|اين|كم|لماذا|ما|من)|ו(?:מה|איך|האם|מתי|איפה|כמה|למה)";
const BEGINS_MID_TALK = new RegExp(
  String.raw`^[\s¿¡"'(]*(?:(?:${OPENINGS})(?![\p{L}\p{M}\p{N}'’-])|${UNSPACED_OPENINGS}|${JOINED_OPENINGS})`,
  "iu",
);
/** Chinese asks "and X?" with a particle. */
const ENDS_MID_TALK = /呢[\s？?。]*$/u;

// A demonstrative before a noun says what it means: only those with a verb,
// a preposition or nothing after them.
const AFTER_DEMONSTRATIVE =
  "(?=\\s*(?:[?!.,;]|$)|\\s+(?:is|are|was|were|be|do|does|did|can|could|will|would|should|has|have|work|works|mean|means|happen|happens|cost|costs|take|takes|need|needs|for|in|on|with|too|also|still|again|from|to|at)\\b)";
const PRONOUNS = [
  "it|its|they|them|their|theirs|the (?:ones?|others?|same)|too|instead|again|there(?=[\\s?!.]*$)",
  `(?:this|these|those)${AFTER_DEMONSTRATIVE}`,
  "(?:is|does|do|did|can|will|would|with|for|about|of|to|in|after|before|like|than) that(?=\\s*(?:[?!.,;]|$)|\\s+(?:work|mean|happen|cost|take|need|too|also|still)\\b)",
  "damit|davon|dafür|dabei|dazu|darin|darauf|daran|dessen|deren|denen|stattdessen|ihn|ihm|ebenfalls",
  "ça|cela|celui-ci|celle-ci|ceux-ci|eso|esto|ello|isso|isto|ciò|questo|invece|ermee|ervan|ervoor|eraan|erin|hiermee",
  "он|она|оно|они|его|её|ее|их|ему|ей|им|ним|ними|нём|нем|ней|тоже|него|неё|нее|них|він|вона|воно|вони|його|її",
  "bunu|onu|bunun|onun|bunlar|onlar|bununla|onunla|bunda|onda|αυτό|αυτά|αυτού|asta|acesta|aceasta|acestea",
  "nó|chúng|इसे|इसका|इसकी|इसके|उसे|उसका|उसकी|उसके|그것|그거|이것|이거|그건|이건|거기",
].join("|");
const UNSPACED_PRONOUNS =
  "[它牠]|里面|裡面|其中|[这這那][样樣里裡边邊]|[这這那][个個些](?=[\\s，。？?！!]|$)|これ|それ|あれ|その|そこ|มัน";
const PRONOUN = new RegExp(
  String.raw`(?<![\p{L}\p{M}\p{N}_$.-])(?:${PRONOUNS})(?![\p{L}\p{M}\p{N}_$-]|['’]t\b)|${UNSPACED_PRONOUNS}`,
  "iu",
);
/** "Is it possible to ...": this one means nothing. */
const EXPLETIVE = /\b(?:is|was|isn't|would|be|makes?)\s+it\s+\p{L}+\s+(?:to|that|if|for)\b/giu;

const WORD = /[\p{L}\p{N}]/u;

export function isElliptic(query: string): boolean {
  if (query.length > LENGTH_MAX || !WORD.test(withoutCourtesy(query))) return false;
  const text = withoutCourtesy(query).replace(/^[^\p{L}\p{N}]+/u, "");
  if (BEGINS_MID_TALK.test(query) || BEGINS_MID_TALK.test(text)) return true;
  if (ENDS_MID_TALK.test(query)) return true;
  const plain = query.replace(EXPLETIVE, " ");
  const pronoun = PRONOUN.exec(plain);
  if (pronoun !== null && tellingCount(plain.slice(0, pronoun.index)) < NOUNS_MIN) return true;
  const telling = tellingCount(query);
  return telling === 0 || (telling < TELLING_MIN && endsAsQuestion(query));
}
