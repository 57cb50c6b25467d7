// Words that do not tell what a question is about, by language. They are
// indexed, but left out of queries. They also tell the language of a text
// in Latin letters. Pure.

const ENGLISH = `
a about above after again against all also am among an and another any are as at be because been
before being below between both but by came can come could d did do does doing done down during each
else ever every few for from further get give given gives giving got had has have having he her here
hers herself him himself his how however i if in into is it its itself just ll made make makes many may
me might more most much must my myself name named nor not now of off on once only or other others our
ours out over own please re s said same shall she should since so some still such t take tell than that
the their theirs them themselves then there these they this those through thus to too toward under until
up upon us used using ve very was we well were what when where whether which while who whom whose why
will with within would yet you your yours m im ive dont doesnt cant isnt whats hows
difference differences different differ differs versus vs example examples
hi hello hey thanks thank thx kindly sorry wonder wondering
`;

// Characters and pairs of neighbours, simplified.
const CHINESE = `
的 了 是 在 和 与 及 或 也 都 有 为 被 由 于 之 其 此 那 这 个 几 谁 何 哪 吗 呢 吧 啊
什么 哪个 哪些 多少 如何 怎么 怎样 是否 我 你 您 请 么 我们 我的 你们 这个 那个 怎 它 它们
`;

// Those that English does not have, or seldom.
const ENGLISH_MARKS =
  "the of and to is that for with are this be by you it from which have what how does when where why can do i my if not or at as";

/** Each about thirty words, and those that ask. */
const LATIN = {
  de: "der die das den dem des ein eine einen einem einer und oder ist sind war wurde wird werden nicht auch auf aus bei mit nach von vom zu zum zur über unter für durch als wie wer wen wem was wann wo warum wieso welche welcher welches wieviel sich es er sie wir ich ihr kann hat haben gibt im am dass man mein meine wenn nur noch",
  fr: "le la les l un une des du de d et ou est sont était étaient être a ont dans sur sous pour par avec sans ce cette ces qui que quoi qu quel quelle quels quelles comment pourquoi quand où combien il elle ils elles nous vous je on ne pas plus aux au se son sa ses leur mon ma mes peut c n s y",
  es: "el la los las un una unos unas de del y o es son fue fueron era ser en con sin por para al que qué quién quiénes cuál cuáles cómo cuándo dónde cuánto cuántos cuánta cuántas se su sus lo le les no más como este esta estos estas hay mi tu puedo puede si sobre entre",
  pt: "o a os as um uma uns umas de do da dos das e ou é são foi foram era ser em no na nos nas com sem por para pelo pela ao que quem qual quais como quando onde quanto quantos quantas se seu sua não mais este esta isso há meu minha posso pode eu sobre entre",
  it: "il lo la i gli le un uno una di del della dei delle dello e o è sono era fu essere in nel nella nei con senza per da dal dalla al alla che chi cosa quale quali come quando dove perché quanto quanti quante si suo sua non più questo questa c ci mio mia posso può su tra",
  nl: "de het een en of is zijn was waren werd wordt worden in op aan bij met van voor naar uit door over als dat die dit deze wie wat welke waar wanneer waarom hoe hoeveel ik je jij hij zij wij we er niet ook kan heb heeft hebben te om mijn nog geen",
  sv: "en ett den det de och eller är var blev blir att på i av för med till från om som vem vad vilken vilket vilka när var varför hur många mycket inte han hon jag du vi kan har hade sin mitt min ska finns",
  da: "en et den det de og eller er var blev bliver at på i af for med til fra om som hvem hvad hvilken hvilket hvilke hvor hvornår hvorfor hvordan mange ikke han hun jeg du vi kan har havde sin mit min skal findes kjer",
  pl: "i w z na do od po za dla przez przy o u że to jest są był była było być się nie jak co kto kogo który która które jaki jaka jakie kiedy gdzie dlaczego ile czy oraz lub ale jego jej ich mój moja można mogę",
  cs: "a v z na do od po za pro při o u že to je jsou byl byla bylo být se si ne jak co kdo který která které jaký jaká jaké kdy kde proč kolik nebo ale jeho její jejich můj moje mohu lze",
  ro: "un o unei unui și sau este sunt era fost fi în din de la pe cu fără pentru prin care ce cine cui cum când unde câți câte cât nu mai al ai ale a au se să său sa lor dintre după este acest această acestea pot meu mea",
  tr: "bir ve veya ile için bu şu o da de ki mi mı mu mü ne nedir kim kimdir hangi nasıl neden niçin nerede ne kadar kaç değil gibi daha çok en olan olarak var yok sonra önce benim ben nasıl midir mıdır idi",
  vi: "là và của các những một có không được cho với trong trên từ đến để này đó khi nào ai gì đâu sao thế bao nhiêu như người năm đã sẽ bị vào ra theo tại hay hoặc tôi về nhất cái",
  id: "yang dan atau di ke dari untuk dengan pada adalah ini itu apa siapa mana kapan mengapa kenapa bagaimana berapa tidak bukan akan telah sudah oleh dalam sebagai saya anda bisa dapat ada jika",
  fi: "ja tai on oli ovat olivat ei se he hän joka jotka mitä mikä kuka ketkä milloin missä miksi miten kuinka monta että kun kuin myös sekä mutta minun voi voin minä ollut",
  hu: "a az egy és vagy van volt voltak lesz nem is hogy ki mi mit melyik milyen mikor hol miért hogyan hány mennyi ez azt ezt meg csak mint kell lehet én",
} as const;

const OTHERS = `
и в во на с со из к у о об от до по за для не что как кто где когда почему зачем сколько какой какая какое какие каким
который которая которые это был была было были есть ли или а но же бы он она они его ее их мой моя мне я мы вы
і та що як хто де коли чому скільки який яка яке які це був була були є чи або
ο η το οι τα του της των τον την τους τις και ή σε με για από στο στη στην στον στα στις τι ποιος ποια ποιο ποιοι ποιες πως που ποτε γιατι ποσο ποσα ποσοι ποσες
ηταν ειναι να δεν θα ενα μια ενας μου
من في على إلى الى عن ما ماذا متى أين اين كيف لماذا كم هل هو هي التي الذي هذا هذه كان كانت أو او و أي اي لم لا مع بين ذلك
है हैं था थे थी का की के को से में पर ने और या क्या कौन कब कहाँ कहां क्यों कैसे कितना कितने कितनी किस किसने किसे यह वह एक जो ही भी नहीं हो मैं मेरा
무엇 무엇을 무엇이 무엇인가 무엇인가요 뭐 뭔가요 누구 누가 언제 어디 어디서 어디에 왜 어떻게 얼마나 얼마 몇 어떤 어느 있는 있나요 하는 되는 수 것 것은 이 그 저 및 또는 제 나 내
של את על עם מה מי מתי איפה איך למה כמה האם זה זו הוא היא או לא
`;

/** By its code, if its letters are Latin. */
export type Language = keyof typeof LATIN | "en";

const listed = (list: string, fold: (word: string) => string): ReadonlySet<string> =>
  new Set(
    list
      .split(/\s+/)
      .filter((word) => word !== "")
      .map(fold),
  );

/** The stop words, in the form in which `fold` leaves a word. */
export class StopWords {
  readonly #general: ReadonlySet<string>;
  readonly #latin: ReadonlyMap<Language, ReadonlySet<string>>;
  readonly #languages: readonly Language[];
  /** By word, the numbers of the languages that it shows. */
  readonly #shown = new Map<string, number[]>();

  constructor(fold: (word: string) => string) {
    this.#general = listed(`${ENGLISH} ${CHINESE} ${OTHERS}`, fold);
    const entries = Object.entries(LATIN) as [Language, string][];
    this.#latin = new Map(entries.map(([language, list]) => [language, listed(list, fold)]));
    // English first: among equals, it has no further terms.
    const lists = [["en", listed(ENGLISH_MARKS, fold)] as const, ...this.#latin];
    this.#languages = lists.map(([language]) => language);
    for (const [number, [, list]] of lists.entries()) {
      for (const word of list) {
        const numbers = this.#shown.get(word);
        if (numbers === undefined) this.#shown.set(word, [number]);
        else numbers.push(number);
      }
    }
  }

  has(word: string, language: Language | undefined): boolean {
    if (language === undefined || language === "en") return this.#general.has(word);
    return this.#latin.get(language)?.has(word) ?? false;
  }

  /**
   * The language of texts in Latin letters, if at least `countMin` words
   * show it, and more than show another.
   */
  languageOf(
    texts: Iterable<Iterable<{ readonly text: string; readonly isLatin: boolean }>>,
    countMin: number,
  ): Language | undefined {
    const counts = this.#languages.map(() => 0);
    for (const words of texts) {
      for (const { text, isLatin } of words) {
        const numbers = isLatin ? this.#shown.get(text) : undefined;
        if (numbers === undefined) continue;
        for (const number of numbers) counts[number] = (counts[number] ?? 0) + 1;
      }
    }
    const most = Math.max(...counts);
    return most < countMin ? undefined : this.#languages[counts.indexOf(most)];
  }
}
