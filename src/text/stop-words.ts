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
cannot per via etc really actually though although let lets
isn aren wasn weren doesn didn hasn haven couldn wouldn shouldn
difference differences different differ differs versus vs example examples
hi hello hey thanks thank thx kindly sorry wonder wondering
`;

// Characters and pairs of neighbours, simplified.
const CHINESE = `
的 了 是 在 和 与 及 或 也 都 有 为 被 由 于 之 其 此 那 这 个 几 谁 何 哪 吗 呢 吧 啊
什么 哪个 哪些 多少 如何 怎么 怎样 是否 我 你 您 请 么 我们 我的 你们 这个 那个 怎 它 它们
`;

// Words of other languages too, such as "in": among equals, it is English.
const ENGLISH_MARKS =
  "the of and to is that for with are this be by you it from which have what how does when where why can do i my if not or at as a in on were there did who whose they their we our your could would should will has had any many much into about than";

/** Each about thirty words, and those that ask, not all its own. */
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
  tr: "bir ve veya ile için bu şu o da de ki mi mı mu mü ne nedir kim kimdir hangi nasıl neden niçin nerede ne kadar kaç değil gibi daha çok en olan olarak var yok sonra önce benim ben nasıl midir mıdır idi neydi neyi kaçı kimdi nelerdi hangisi kime kimin",
  vi: "là và của các những một có không được cho với trong trên từ đến để này đó khi nào ai gì đâu sao thế bao nhiêu như người năm đã sẽ bị vào ra theo tại hay hoặc tôi về nhất cái",
  id: "yang dan atau di ke dari untuk dengan pada adalah ini itu apa siapa mana kapan mengapa kenapa bagaimana berapa tidak bukan akan telah sudah oleh dalam sebagai saya anda bisa dapat ada jika",
  fi: "ja tai on oli ovat olivat ei se he hän joka jotka mitä mikä kuka ketkä milloin missä miksi miten kuinka monta että kun kuin myös sekä mutta minun voi voin minä ollut",
  hu: "a az egy és vagy van volt voltak lesz nem is hogy ki mi mit melyik milyen mikor hol miért hogyan hány mennyi ez azt ezt meg csak mint kell lehet én",
} as const;

/**
 * Further ones of these languages, which English or another language has
 * too, or which are rare: they do not show a language.
 */
const FURTHER: Record<keyof typeof LATIN, string> = {
  de: "in an um ab vor bis seit während zwischen wegen beim ins aufs diese dieses diesem diesen jener jene jenes welchem welchen wessen wonach woran worauf woraus worin wodurch womit wofür wogegen worüber wovon wozu woher wohin weshalb viel viele vielen vieler mehr lange oft weit hat hatte hatten habe hast hätte gibt gab heißt hieß heißen lautet lauten wäre waren bin bist sein seine seinem seinen seiner ihre ihrem ihren ihrer ihn ihm ihnen mich mir uns unser euch euer sowie sondern aber denn doch ob da dann dort hier so sehr wurden worden geworden kein keine keinen name namen namens je",
  fr: "en à y est-ce étaient fut furent été suis sommes êtes avoir avait avaient avons avez ai as eu fait faire font cela ça ceux celle celles celui tout tous toute toutes même mêmes dont laquelle lequel lesquels lesquelles auquel auxquels duquel desquels lors depuis pendant entre vers chez contre sans si ou mais donc car ni aussi très plus moins beaucoup appelle appelait appelé appelée nom noms nommé lui leurs ses ton ta tes notre nos votre vos moi toi ici là t-il t-elle t j m jusqu peuvent pouvait doit doivent",
  es: "a ante bajo contra desde durante hacia hasta según tras mediante e u ni pero sino porque aunque cuando donde como cual cuales quien quienes cuanto cuanta cuántos cuántas estos estas ese esa esos esas aquel aquella aquello eso esto mismo misma muy también ya así entonces tiene tienen tenía tenían tener tuvo ha han había habían haber hubo he hay está están estaba estaban estuvo sea sean siendo sido soy somos fui hace hacen hacer hizo llama llaman llamaba llamado llamada nombre nombres mi mis tus nos me te ti él ella ellos ellas yo usted ustedes nosotros todo todos toda todas otro otra otros otras algún alguna algunos uno pueden podía podría debe deben",
  pt: "à às ao aos pelos pelas num numa nuns numas desde durante até contra sob após ante e nem mas porque porém quantas quais cujo cuja onde aonde estes estas esse essa esses essas aquele aquela isto aquilo mesmo mesma muito muita muitos também já assim tem têm tinha tinham ter teve há havia houve está estão estava estavam esteve seja sendo sido sou somos faz fazem fazer fez chama chamam chamava chamado chamada nome nomes meus minhas teu tua seus suas nos me te ele ela eles elas eu você vocês nós todo todos toda todas outro outra outros outras algum alguma podem podia poderia deve devem",
  it: "a ad ed o alle agli ai col coi sul sullo sulla sui sulle negli nelle nello dagli dalle dai dallo contro durante fino dopo prima verso ma se perché né anche già così cui quale quali quanta quello quella quelli quelle questi queste stesso stessa molto molti molte ha hanno aveva avevano avere ebbe ho sia siano essere stato stata stati state erano furono fa fanno fare fece chiama chiamano chiamava chiamato nome nomi suoi sue miei tuoi loro lui lei noi voi io tu lo li ne vi tutto tutti tutta tutte altro altra altri altre alcuni possono poteva deve devono",
  nl: "tussen tijdens tegen zonder onder sinds tot binnen na per of maar want dus omdat toen dan daar hier zo al welk wiens waarmee waarin waarop waarvan waarvoor waaruit waardoor wanneer veel meer heel zeer had hadden heeft hebt zullen zal zou zouden kunnen kon konden moet moeten mag mogen wil willen doet doen deed geworden geweest heet heette heten genoemd naam namen hun haar hem hen mijn jouw ons onze u zich alle andere deze geen",
  sv: "mellan under mot utan sedan innan efter före hos vid åt eller men så då där här denna detta dessa dess deras vars vilkas hade varit vara vart ha skulle kunde måste får fick blev blivit heter hette kallas kallades namn namnet hon dem oss er mig dig hans hennes vårt alla andra mycket mer mest också bara ju",
  da: "mellem under mod uden siden før efter hos ved eller men så da der her denne dette disse dens deres hvis hvilke været være blevet blive havde skulle kunne måtte må får fik hedder hed kaldes navn navnet ham hende dem os jer mig dig hans hendes vores alle andre meget mere mest også kun hva hvilke hvilken mange ikke å åt ble",
  pl: "od ku nad pod przed między podczas bez po oprócz według ale lecz więc ani jeśli gdy gdyby żeby aby czyli czyj czyja czyje kim czym czego czemu komu jakim jakiej jakiego jakich jakimi którym której którego których którymi którą skąd dokąd ilu iloma ten ta te ten tym tej tego tych tymi ci tamten taki taka takie byli były jestem są będzie będą został została zostało zostały mieć ma mają miał miała może mogą można trzeba nazywa nazywał nazywała nazwa nazwę nazwisko imię on ona ono oni one mnie mu nim niej nich jemu sobie swój swoje swoją już też także bardzo tylko jeszcze",
  cs: "ve ze ke nad pod před mezi během bez po podle ale však tedy ani jestli když pokud aby kým čím čeho čemu komu koho jakém jakým jakého jakých kterém kterým kterého kterých kterou čí odkud kam kolika ten ta ty tom tím tomu toho těch této tento tato takový byli byly jsem jsou bude budou má mají měl měla může mohou lze třeba jmenuje jmenoval jmenovala název jméno on ona ono oni jí jej mu něm ní nich jemu svůj své svou už také velmi jen ještě",
  ro: "a lui lor îi îl le li i l că ca să dar iar ori deci dacă deși încât an cel cea cei cele celui celei celor acel acea acei acele acestui acestei acestor ăsta asta care cărui cărei căror cărora ce cât câtă câți unde dincotro intr într întru dintr între spre către asupra despre după până înainte fără sub peste printre prin conform în timpul când atunci aici acolo are avea aveau avut am ai au ați avem aș ar era erau fiind fie fost fi sunt sunteți suntem poate pot putea puteau trebuie face făcut numește numea numit numită nume numele ei ele el ea eu noi voi mi ți își iși lui mult mulți multe mai foarte tot toți toate toată alt altă alți alte decât cum tipuri",
  tr: "hangisi hangileri hangisidir nelerdir neydi neyi neye neden nedir neyin neler nasıldır kimin kime kimi kimler kimdi kimdir kaçta kaçtır kaçıncı kaça nereye nereden neresi neresidir nerededir nerenin bunu bunun buna bunlar şunu onun onu ona onlar onların ben sen biz siz bu şu o ki ya da ve veya ama fakat ancak çünkü eğer ise idi iken bile dahi göre kadar doğru karşı rağmen üzere boyunca arasında tarafından tarafindan hakkında içinde üzerinde altında zaman zamanda ın in un ün nın nin nun nün ı i u ü yi yı yu yü na ne nda nde ndan nden da de ta te dan den tan ten ydı ydi miydi mıydı muydu müydü mudur müdür olmuş oldu olur olduğu olacak etti eder eden edilen yaptı yapar adı adını adıdır ismi ismini denir deniyordu denirdi hiç her bazı tüm bütün aynı",
  vi: "",
  id: "sang si para oleh karena jika maka tetapi namun serta atau antara hingga sampai sejak selama saat ketika siapakah apakah dimana dimanakah kapankah berapakah bagaimanakah manakah mengapakah ialah yaitu yakni juga sangat lebih paling para tersebut itulah inilah dia ia mereka kami kita kamu anda nya telah pernah masih belum jadi menjadi adanya merupakan bernama disebut dinamakan nama namanya dimaksud dimiliki memiliki punya sebuah seorang suatu semua setiap banyak",
  fi: "missä mistä mihin millä milloin minkä minkälainen millainen montako kenen ketkä ketä kenelle mikäli minne kumpi onko oliko ollaanko voiko joka jonka jossa josta johon joita jolla sen siitä siinä siihen tämä tämän tässä nämä nuo tuo he hänen heidän minun sinun meidän että jotta koska vaan eli sekä niin kuin ovat olivat ollut olla olisi oletko olen voi voivat saa jälkeen ennen välillä aikana asti ilman kanssa nimi nimeltään kutsutaan tarkoittaa paljon paljonko eri hyvin vain vielä",
  hu: "ki kit kinek kinél kivel kik mit minek mivel miből milyen melyek melyiket hol honnan hová mikor meddig mióta mennyi mennyit hányadik hányan hány miért azon ezen annak ennek abban ebben akkor itt ott így úgy olyan ilyen aki ami amely amelyik de ha mert vagy sem nincs vannak volna lenne lettek lett legyen lehet kellett tud között alatt után előtt alapján szerint által felett mellett nélkül ellen felé óta név neve nevű neveznek hívják hívnak ő ők őket neki velük mi ti te én minden más sok nagyon már még",
};

// Words that ask and function words, with their forms: this is how long
// the English list is.
const OTHERS = `
и в во на с со из к ко у о об обо от до по под над перед при через между без для за после во время про из-за не ни нет да а но или либо ли же бы то ведь что чтобы если когда пока хотя потому так как также тоже уже ещё еще лишь только очень более менее самый самая самое самые
кто кого кому кем ком чего чему чем чём где куда откуда почему отчего зачем сколько скольких какой какого какому каким каком какая какую какое какие каких какими каков какова каково каковы который которого которому которым котором которая которую которой которое которые которых которыми чей чья чьё чье чьи чьего чьей чьих
это этот этого этому этим этом эта эту этой эти этих этими тот того тому тем том та ту той те тех теми такой такая такое такие такого таких он она оно они его её ее их ему ей им ими нём ней них я мне меня мной мы нас нам вы вас вам ты тебя свой своя своё свое свои своего своей своих свою мой моя моё мое мои моего моей моих наш ваш себя себе весь вся всё все всего всех всем
был была было были быть будет будут есть является являются являлся являлась являлось называется называются называлась называлось назывался называют зовут звали имя название можно может могут мог нужно надо находится находятся
і та й в у на з із зі до від по під над перед при через між без для за про не ні що щоб як коли де куди звідки хто кого кому ким чого чому чим скільки який якого якому яким якій яка яку якої яке які яких якими котрий чий чия чиє чиї це цей ця ці цього цієї той те був була було були бути є чи або але він вона воно вони його її їх мій моя мої мені я ми ви свій своє називається називається звати ім'я назва можна може
ο η το οι τα του της των τον την τη τους τις τες και ή είτε ούτε μήτε αλλά όμως ενώ αν εάν όταν αφού επειδή γιατί διότι ώστε ότι πως που σε στο στον στη στην στα στις στους στου στης στων με μέσω για από προς μετά πριν κατά παρά αντί χωρίς μεταξύ ως έως μέχρι εκτός υπό υπέρ
τι ποιος ποια ποιο ποιοι ποιες ποιον ποιαν ποιου ποιας ποιων ποιους πού πότε πώς πόσο πόσος πόση πόσοι πόσες πόσα πόσων πόσους οποίος οποία οποίο οποίοι οποίες οποίου οποίας οποίων οποίον οποίαν οποίους όποιος ό,τι όσο όσοι όσα
ένας ένα ενός μία μια μιας αυτός αυτή αυτό αυτοί αυτές αυτά αυτού αυτής αυτών αυτόν αυτήν αυτούς εκείνος εκείνη εκείνο τέτοιο ίδιο ίδια ίδιος εγώ εσύ εμείς εσείς μου σου μας σας με σε τους δεν δε μη μην να θα ας
είναι ήταν είμαι έχει έχουν είχε είχαν έχω μπορεί μπορούν μπορώ υπάρχει υπάρχουν υπήρχε υπήρχαν γίνεται έγινε ονομάζεται ονομάζονται ονομαζόταν λέγεται όνομα ονομασία βρίσκεται βρίσκονται πολύ πολλοί πολλές πολλά πιο πλέον επίσης όλα όλοι όλες
من في على إلى الى عن مع بين حتى منذ خلال عند عندما بعد قبل حول ضد تحت فوق دون بدون لدى عبر ثم أو او أم ام و لكن بل لأن إذا اذا إن ان أن أنه انه أنها انها كما مثل حيث كي
ما ماذا ماهو ماهي مما بماذا لماذا متى أين اين كيف كم هل أي اي أية ايه أيهما من لمن بمن مِن ممن ومن وما وماذا ومتى وأين وكيف فما عما
هو هي هم هن هما أنا انا أنت انت نحن أنتم هذا هذه هؤلاء ذلك تلك أولئك هناك هنا التي الذي الذين اللذان اللتان اللواتي منه منها منهم فيه فيها فيهم به بها بهم له لها لهم عليه عليها عليهم عنه عنها إليه إليها الا إلا غير كل بعض جميع أكثر اكثر جدا أيضا ايضا فقط قد لقد لم لن لا ليس ليست سوف نعم
كان كانت كانوا يكون تكون وكان وكانت تم يتم تمت تتم قام قامت يوجد توجد يسمى تسمى سمي اسم اسمه اسمها يعرف تعرف يمكن يقع تقع
है हैं हूँ हूं हो था थे थी थीं होना होता होती होते होने हुआ हुई हुए हुये होगा होगी रहा रही रहे गया गयी गई गए गये जाता जाती जाते जाने जा जाना कर करना करने करता करती करते किया किये किए की करें सकता सकती सकते सका दिया दी दिए दिये देता देते देना लिया लिए लिये ली
का की के को से में पर ने तक लिए द्वारा बारे रूप वाला वाली वाले और या तथा एवं व कि अगर यदि तो लेकिन परन्तु परंतु किन्तु क्योंकि जब जबकि तब
क्या कौन कौनसा कौनसी कौनसे सा सी से कब कहाँ कहां किधर क्यों कैसे कैसा कैसी कितना कितने कितनी किस किसने किसे किसका किसकी किसके किसको किससे किसमें किन किनके किनकी किन्हें किन्होंने किसी कोई कुछ
यह ये वह वे वो इस इसका इसकी इसके इसे इसमें इससे इन इनके इनकी इन्हें उस उसका उसकी उसके उसे उसमें उन उनका उनकी उनके उन्हें उन्होंने जो जिस जिसका जिसकी जिसके जिसे जिसमें जिसने जिन जिनके अपना अपनी अपने एक ही भी नहीं न ना मत मैं मेरा मेरी मेरे मुझे हम हमारा आप आपका तुम
이 그 저 것 것은 것을 것이 수 및 또는 등 제 나 내 있는 있나요 하는 되는 된 한 할 하기 위해 위한 대한 대해 통해 따라 중 후 때 의 는 은 가 를 을 에 에서 으로 로 와 과 도 만 이름 이름은 이름이
של את על עם מה מי מתי איפה איך למה כמה האם זה זו הוא היא או לא
`;

// Particles and endings follow.
const KOREAN_ASKING = /^(?:누구|누가|언제|어디|무엇|무슨|어느|어떤|어떻|얼마|몇)/;

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
  readonly #telling: ReadonlyMap<Language, ReadonlySet<string>>;
  readonly #languages: readonly Language[];
  /** By word, the numbers of the languages that it shows. */
  readonly #shown = new Map<string, number[]>();

  constructor(fold: (word: string) => string) {
    this.#general = listed(`${ENGLISH} ${CHINESE} ${OTHERS}`, fold);
    const entries = Object.entries(LATIN) as [keyof typeof LATIN, string][];
    this.#latin = new Map(entries.map(([language, list]) => [language, listed(list, fold)]));
    this.#telling = new Map(
      entries.map(([language, list]) => [language, listed(`${list} ${FURTHER[language]}`, fold)]),
    );
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
    if (language === undefined || language === "en") {
      return this.#general.has(word) || KOREAN_ASKING.test(word);
    }
    return this.#telling.get(language)?.has(word) ?? false;
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
