// Words around a question that ask nothing: greetings, thanks, "could you
// tell me", and in scripts without spaces the words that only ask. Pure.

const someone = "(?:you|u|(?:any|some)(?:one|body)|ya)";
const softly = "(?:(?:please|pls|kindly|possibly|maybe|perhaps|just|also|quickly)\\s+){0,5}";
const tell =
  "(?:(?:tell|help|show|teach|enlighten|remind|advise|inform)\\s+(?:me|us)(?:\\s+(?:out|know|understand|figure\\s+out|with|about))*|(?:let\\s+(?:me|us)\\s+know)|clarify|explain(?:\\s+to\\s+(?:me|us))?|elaborate)";

const ENGLISH = [
  `(?:(?:could|can|would|will|may|might)\\s+${someone}|${someone}\\s+(?:could|can|would|might))\\s+${softly}${tell}`,
  `${softly}(?:please|pls|kindly)\\s+${tell}`,
  `(?:i\\s*(?:'m|am|was|were|have\\s+been|'ve\\s+been)\\s+)?${softly}wondering(?:\\s+(?:if|whether|about)\\b)?`,
  `i\\s*(?:'d|\\s+would|\\s+want|\\s+wanted|\\s+need|\\s+wish)(?:\\s+(?:like|love|want))?\\s+to\\s+${softly}(?:know|ask|understand|learn|find\\s+out|figure\\s+out)(?:\\s+(?:if|whether|about)\\b)?`,
  `(?:does|do|has|have|is)\\s+(?:(?:any|some)(?:one|body)|you)\\s+(?:happen\\s+to\\s+)?(?:know|knows|have\\s+any\\s+idea|there\\s+who\\s+knows)(?:\\s+(?:if|whether)\\b)?`,
  "(?:any|some)\\s+(?:ideas?|help|clues?|hints?|pointers?|tips|advice|suggestions?|thoughts?)(?:\\s+(?:is|are|would\\s+be|will\\s+be|on))?(?:\\s+(?:much|very|greatly|highly|really)*\\s*(?:appreciated|welcome))?",
  "(?:i\\s+)?(?:would\\s+|'d\\s+)?(?:really\\s+|greatly\\s+|very\\s+much\\s+)?appreciate\\s+(?:it|(?:your|any|the|some)\\s+(?:help|support|time|advice))",
  "(?:many\\s+)?(?:thanks|thank\\s+(?:you|u)|thx|ty|cheers)(?:\\s+(?:you|so|very|much|a\\s+(?:lot|bunch|million|ton)|again|all|in\\s+advance|for\\s+(?:your|the|any|all)(?:\\s+\\w+){1,2}))*",
  "good\\s+(?:morning|afternoon|evening|day)(?:,?\\s+(?:to\\s+(?:you|all)|all|everyone|team|folks))?",
  "(?:hi|hello|hey|hiya|howdy|greetings|dear)(?:\\s+(?:there|all|everyone|everybody|team|folks|guys|again|friends?|belay|support|sir|madam|or|community|assistant|bot))*",
  "(?:have|enjoy)\\s+an?\\s+(?:nice|great|good|lovely|wonderful)\\s+(?:day|one|evening|weekend|week)",
  "(?:i\\s*(?:'m|\\s+am)\\s+)?(?:so\\s+|very\\s+)?sorry(?:\\s+(?:to\\s+(?:bother|disturb|trouble)(?:\\s+you)?|for\\s+(?:bothering|asking|troubling|the|my|such)(?:\\s+\\w+){0,3}?\\s*(?:question|bother|trouble|you|english|this)?|if\\s+this\\s+is\\b[^,.!?]*))?",
  "excuse\\s+me",
  "(?:i\\s+have\\s+|i\\s*'ve\\s+(?:got\\s+)?|just\\s+|here\\s+is\\s+|here's\\s+)?(?:an?|one|my|another)\\s+(?:very\\s+|rather\\s+|really\\s+|probably\\s+)?(?:(?:quick|simple|silly|stupid|dumb|basic|short|small|little|newbie|noob|beginner|general|noobish)\\s+)*question(?:\\s+(?:for\\s+you|about))?(?=\\s*[:,.!?\\n-]|\\s+about\\b)",
  "(?:quick|simple|silly|stupid|dumb|basic|newbie|noob)\\s+question",
  "i\\s*(?:'m|\\s+am)\\s+(?:(?:very|totally|completely|quite|fairly|pretty|really|a\\s+bit)\\s+)*(?:new\\s+(?:to\\s+(?:this|all\\s+this|it)|here)|a\\s+(?:newbie|beginner|noob))",
  "(?:i\\s+)?hope\\s+(?:you\\s*(?:'re|\\s+are)|this\\s+(?:finds|message\\s+finds)\\s+you|all\\s+is|everything\\s+is)\\s+(?:doing\\s+)?(?:well|fine|good|great|ok|okay)",
  "(?:best|kind|warm)\\s+(?:regards|wishes)|yours\\s+(?:sincerely|truly)",
  "(?:please|pls|plz|kindly)",
  "how\\s+(?:long|often|soon|come)",
  "(?:asap|urgent(?:ly)?)\\s*[!.]",
].map((phrase) => `(?<![\\w-])(?:${phrase})(?![\\w-])`);

// Chinese in simplified characters: the text is folded first.
const UNSPACED = [
  "(?:你|您|大家|各位)好[啊呀哦]?|哈喽|哈啰|嗨|(?:早上|上午|中午|下午|晚上)好",
  "(?:我)?(?:非常|十分|万分|多|太)?(?:感谢|谢谢|谢)(?:你|您|大家|各位)?(?:的)?(?:帮助|解答|回答|回复|帮忙)?(?:了|啦|啊|哈)?(?=$|[\\s，,。.！!？?~～、])",
  "(?:不好意思|打扰(?:一下|了|您|你)*|劳驾|抱歉|拜托)(?:了)?",
  "(?:麻烦|烦请|烦劳)(?:问)?(?:一下)?(?:你|您|大家)?(?:帮忙|帮我|帮)?(?:一下)?",
  "(?:我)?(?:就)?(?:想|要)(?:请教|请问|问|咨询)(?:一下|下|问)?|(?:我)?(?:很)?想(?:知道|了解)(?:一下|下)?",
  "(?:你|您)?(?:能不能|能否|可不可以|可否|能|可以|方便)(?:请|麻烦)?(?:你|您)?(?:告诉|告知|帮|跟|和|给|向|教)(?:一下|下)?我(?:们)?(?:说|讲|解释|介绍|看|讲解)?(?:一下|下|说)?",
  "(?:请)?(?:告诉|告知|教教|教)(?:一下|下)?我(?:们)?(?:一下|下)?",
  "请(?:问|教)(?:一下|下)?(?:大家|各位)?|(?:有|哪位)(?:没有)?(?:人|大佬|大神|朋友)?(?:能)?知道",
  "求(?:助|教|解答|解|指点|大佬|大神|问)+|(?:新手|小白|萌新)(?:提问|求助|求教|一枚|一个|刚学|问题)*",
  "こんにちは|こんばんは|おはよう(?:ございます)?|はじめまして|初めまして|すみません(?:が)?|すいません(?:が)?|恐れ入ります(?:が)?|お世話になって(?:おります|います)|お疲れ様です",
  "(?:どうも)?(?:ありがとう|有り?難う)(?:ございます|ございました)?|(?:どうぞ)?(?:よろしく|宜しく)(?:お願い|御願い)?(?:いた|致)?(?:します)?",
  "(?:を|か|について)?(?:教えて|おしえて|説明して)(?:くださいませんか|ください|下さい|くれますか|くれませんか|いただけますか|いただけませんか|頂けますか|もらえますか|もらえませんか|ほしいです|欲しいです)?",
  "質問(?:です|があります|なのですが|なんですが)(?:が)?|お(?:願い|ねがい)(?:いた|致)?します|を?(?:知りたい|聞きたい|伺いたい)(?:のですが|んですが|です)?",
  "สวัสดี(?:ครับ|ค่ะ|คะ)?|ขอบคุณ(?:มาก|มากๆ|ล่วงหน้า)?(?:ครับ|ค่ะ|คะ)?|(?:กรุณา|ช่วย|โปรด)(?:บอก|อธิบาย)(?:ฉัน|ผม|ที|หน่อย)*(?:ได้ไหม)?|กรุณา|รบกวน(?:สอบ)?ถาม|ขอ(?:สอบ)?ถาม(?:หน่อย)?|อยาก(?:ทราบ|รู้)ว่า",
  "(?:หน่อย)?(?:ครับ|ค่ะ|นะคะ|นะครับ|จ้า)(?=$|[\\s?!.])",
  "안녕하(?:세요|십니까)|(?:정말|대단히|미리)?\\s*(?:감사|고맙)(?:합니다|습니다|드립니다)|(?:잘\\s*)?부탁(?:드립니다|드려요|해요|합니다)|(?:좀\\s*)?(?:알려|가르쳐|설명해|말해)\\s*(?:주세요|주시겠어요|주실\\s*수\\s*(?:있나요|있을까요|있으신가요)|줄래요?|줄\\s*수\\s*있(?:나요|어요?))",
  "(?:이|가|을|를|지)?\\s*(?:궁금합니다|궁금해요|궁금한데요?|알고\\s*싶(?:습니다|어요|은데요?))|질문(?:이|있)?\\s*(?:있습니다|있어요|입니다|드립니다)|실례(?:합니다|하지만|지만)|죄송(?:합니다|하지만|한데)(?:만)?|수고하(?:세요|십니다)|혹시",
];

// Other languages: words and phrases that ask nothing.
const OTHERS = [
  "hallo(?:\\s+zusammen)?|guten\\s+(?:morgen|tag|abend)|moin|gru(?:ss|ß|e|ezi)\\s*(?:gott|euch|dich)?|(?:vielen|besten|herzlichen|schon(?:en)?|schönen)?\\s*dank(?:e)?(?:\\s+(?:schon|schön|sehr|im\\s+voraus|euch|dir|ihnen))*|bitte|(?:k(?:o|ö)nn(?:en|t(?:en|est)?|st)|kann)\\s+(?:sie|du|ihr|mir\\s+jemand)\\s*(?:mir|uns)?\\s*(?:bitte|vielleicht|kurz)?\\s*(?:sagen|erkl(?:a|ä)ren|helfen|verraten)|ich\\s+(?:w(?:u|ü)rde|m(?:o|ö)chte)\\s+(?:gerne?\\s+)?wissen|(?:mit\\s+)?(?:freundlichen?|vielen|besten|liebe)\\s+gr(?:u|ü)(?:ß|ss)en?|wei(?:ß|ss)\\s+jemand|entschuldigung",
  "hola|buen(?:os|as)\\s+(?:d[ií]as|tardes|noches)|(?:muchas\\s+)?gracias(?:\\s+(?:de\\s+antemano|por\\s+(?:su|tu|la)\\s+ayuda))?|por\\s+favor|(?:me\\s+)?(?:podr[ií]as?|puedes?|podr[ií]an)\\s+(?:usted\\s+)?(?:decirme|explicarme|ayudarme|indicarme|decir|explicar|ayudar)(?:\\s+a\\s+(?:entender|saber))?|(?:quisiera|quiero|me\\s+gustar[ií]a)\\s+saber|alguien\\s+(?:sabe|puede\\s+(?:decirme|explicarme))|disculp[ea]|perd[oó]n|un\\s+saludo|saludos",
  "bonjour|bonsoir|salut|coucou|merci(?:\\s+(?:beaucoup|bien|d['’ ]avance))*|s['’ ]il\\s+(?:vous|te)\\s+pla[iî]t|svp|stp|(?:pourriez|pouvez|peux|pourrais)[\\s-](?:vous|tu)\\s+(?:me|m['’ ])\\s*(?:dire|expliquer|aider|indiquer)|(?:je\\s+)?(?:voudrais|aimerais|souhaiterais)\\s+savoir|excusez[\\s-]moi|cordialement",
  "ciao|buon(?:giorno|asera|\\s+giorno|a\\s+sera)|(?:molte\\s+|mille\\s+)?grazie(?:\\s+(?:mille|in\\s+anticipo))*|per\\s+(?:favore|piacere)|cortesemente|(?:potr(?:este|esti|ebbe)|puoi|pu[oò])\\s+(?:dirmi|spiegarmi|aiutarmi)|(?:vorrei|mi\\s+piacerebbe)\\s+sapere|scus(?:i|a|ate)|cordiali\\s+saluti",
  "ol[aá]|bo(?:m\\s+dia|a\\s+tarde|a\\s+noite)|(?:muito\\s+)?obrigad[oa](?:\\s+desde\\s+j[aá])?|por\\s+favor|(?:voc[eê]s?\\s+)?(?:poderiam?|podem?)\\s+(?:me\\s+)?(?:dizer(?:[\\s-]me)?|explicar|ajudar)|(?:eu\\s+)?(?:gostaria\\s+de|queria)\\s+saber|desculpe",
  "goede(?:morgen|middag|navond|ndag)|hoi|dank\\s*(?:je|u|jullie)(?:\\s*wel)?|bedankt|alvast\\s+bedankt|alstublieft|alsjeblieft|(?:kunt|kan|kun)\\s+(?:u|je|iemand)\\s+(?:mij|me)\\s+(?:vertellen|uitleggen|zeggen|helpen)|ik\\s+(?:wil|zou)\\s+graag\\s+(?:willen\\s+)?weten",
  "hej(?:san)?|god\\s*(?:morgon|morgen|dag|kv[aä]ll)|tack(?:\\s+(?:sa|så)\\s+mycket|\\s+p[aå]\\s+f[oö]rhand|(?=\\s*[!.]?$))|sn[aä]lla|tusen\\s+takk|takk|v(?:ae|æ)r\\s+s[aå]\\s+snill|kiitos|ole\\s+hyv[aä]",
  "cze[sś][cć]|dzie[nń]\\s+dobry|witam|dzi[eę]kuj[eę](?:\\s+(?:bardzo|z\\s+g[oó]ry))?|prosz[eę](?:\\s+o\\s+pomoc)?|(?:czy\\s+)?mo(?:ż|z)e(?:sz|cie)?\\s+(?:mi\\s+)?(?:pan|pani)?\\s*(?:powiedzie[cć]|wyja[sś]ni[cć]|pom[oó]c)|ahoj|dobr[yý]\\s+den|d[eě]kuj[iu]|pros[ií]m",
  "bun[aă]\\s*(?:ziua|seara|diminea[tț]a)?|salut(?:are)?|mul[tț]umesc(?:\\s+(?:mult|anticipat))?|v[aă]\\s+rog|te\\s+rog|(?:[iî]mi\\s+)?(?:pute[tț]i|po[tț]i)\\s+(?:s[aă]\\s+)?(?:[iî]mi\\s+)?(?:spune(?:[tț]i)?|spui|explica(?:[tț]i)?|ajuta)|a[sș]\\s+vrea\\s+s[aă]\\s+[sș]tiu",
  "merhaba(?:lar)?|selam(?:lar)?|iyi\\s+(?:g[uü]nler|ak[sş]amlar)|g[uü]nayd[iı]n|(?:[cç]ok\\s+)?te[sş]ekk[uü]r(?:ler)?(?:\\s+ede(?:rim|riz))?|sa[gğ]\\s*ol(?:un)?|l[uü]tfen|(?:bana\\s+)?(?:s[oö]yle(?:r|yebilir)|a[cç][iı]kla(?:r|yabilir))\\s+m[iı]s[iı]n(?:[iı]z)?|[oö][gğ]renmek\\s+istiyorum|merak\\s+ediyorum",
  "xin\\s+ch[aà]o|ch[aà]o\\s+(?:b[aạ]n|anh|ch[iị])|(?:xin\\s+)?c[aả]m\\s+[oơ]n(?:\\s+(?:b[aạ]n|nhi[eề]u|tr[uư][oớ]c))*|l[aà]m\\s+[oơ]n|vui\\s+l[oò]ng|xin\\s+h[oỏ]i|cho\\s+(?:t[oô]i|m[iì]nh|em)\\s+h[oỏ]i|(?:b[aạ]n\\s+)?c[oó]\\s+th[eể]\\s+(?:cho\\s+(?:t[oô]i|m[iì]nh)\\s+bi[eế]t|n[oó]i\\s+cho\\s+(?:t[oô]i|m[iì]nh))|selamat\\s+(?:pagi|siang|sore|malam)|terima\\s+kasih|tolong|mohon",
  "здравствуй(?:те)?|привет(?:ствую)?|добр(?:ый|ого|ое)\\s+(?:день|дня|вечер|утро|времени\\s+суток)|(?:большое\\s+|заранее\\s+)?(?:спасибо|благодарю)(?:\\s+(?:большое|заранее|вам|за\\s+(?:помощь|ответ)))*|пожалуйста|(?:не\\s+)?(?:могли\\s+бы|можете|можешь|подскажите|подскажи|скажите|скажи|расскажите|объясните)(?:\\s+(?:ли|вы|ты|мне|нам|пожалуйста|подсказать|сказать|объяснить|рассказать))*|(?:я\\s+)?хо(?:чу|тел(?:а)?\\s+бы)\\s+(?:знать|узнать|спросить)|извините|простите|добрий\\s+день|дякую|будь\\s+ласка|с\\s+уважением",
  "γεια(?:\\s+σ(?:ας|ου))?|καλησπερα|καλημερα|ευχαριστω(?:\\s+(?:πολυ|εκ\\s+των\\s+προτερων))*|παρακαλω|(?:μπορειτε|μπορεις|θα\\s+μπορουσατε)\\s+να\\s+μου\\s+(?:πειτε|πεις|εξηγησετε)|θα\\s+ηθελα\\s+να\\s+(?:μαθω|ρωτησω)",
  "(?:السلام\\s+عليكم|مرحبا|اهلا|أهلا|صباح\\s+الخير|مساء\\s+الخير|شكرا(?:\\s+(?:لك|لكم|جزيلا|مقدما))*|من\\s+فضلك(?:م)?|لو\\s+سمحت(?:م)?|رجاء|هل\\s+(?:يمكنك|تستطيع|يمكنكم|بامكانك)\\s+(?:ان\\s+|أن\\s+)?(?:تخبرني|تشرح\\s+لي|اخباري|إخباري)|اخبرني|أخبرني|اريد\\s+ان\\s+اعرف|أريد\\s+أن\\s+أعرف)",
  "שלום|תודה(?:\\s+(?:רבה|מראש))*|בבקשה|سلام|ممنون|لطفا",
  "नमस्ते|नमस्कार|धन्यवाद|शुक्रिया|कृपया|(?:क्या\\s+)?(?:आप|कोई)\\s+(?:मुझे|हमें)?\\s*(?:बता|समझा)\\s*(?:सकते|सकता|सकती)\\s*(?:हैं|है|हो)(?:\\s+कि)?|मुझे\\s+(?:बताएं|बताइए|बताओ)|मैं\\s+जानना\\s+चाहता\\s+हूं",
].map((phrase) => `(?<![\\p{L}\\p{M}\\p{N}])(?:${phrase})(?![\\p{L}\\p{M}\\p{N}])`);

// Bounded blanks keep the search linear.
const COURTESY = new RegExp(
  [...ENGLISH, ...OTHERS, ...UNSPACED]
    .join("|")
    .replaceAll("\\s*", "\\s{0,3}")
    .replaceAll("\\s+", "\\s{1,3}"),
  "giu",
);

// Chinese words that ask, and would make pairs with their neighbours.
const CHINESE_ASKING =
  /为什么|为何|什么(?:是|时候)?|怎么(?:样|办|做)?|怎样|如何|哪些|哪个|哪里|哪种|多少|多久|是否|是不是|有没有|能不能|可不可以|能否|应该|可以|(?:有|存在)?(?:区别|差别|差异|不同)(?:是什么|在哪里?)?(?:吗|呢|啊)?(?=$|[\s？?。！!])|示例代码|代码示例|(?:举|给)?个?例子|示例|(?:吗|呢|吧|啊)(?=$|[\s？?。！!])/gu;

/** A text without its courtesy, with a comma where that was. */
export function withoutCourtesy(text: string): string {
  return text.replaceAll("’", "'").replace(COURTESY, ", ").replace(CHINESE_ASKING, " ");
}

// Other words that ask in scripts without spaces, where they would make
// units with their neighbours. Folded, as the text is.
const UNSPACED_ASKING = new RegExp(
  [
    "哪一|哪(?!吒)|谁|几(?=[个年月日岁次种位名人天])|何(?:时|地|处|种|年|人)|多(?:大|长|高|远|重|深|宽|快)(?=$|[\\s？?。！!])",
    "(?:いつ|どこ|どの(?:くらい|ぐらい|よう)?|どれ(?:くらい|ぐらい)?|どちら|どんな|どう|だれ|なぜ|なに|なん(?=の|で|と)|いくつ|いくら|(?<![几任])何)(?:から|まで|へ|に|で|が|を)?",
    "(?:でしょう|でした|です|ました|ます)?か(?=$|[\\s？?。！!])|(?:とは|は)(?=$|[\\s？?。！!])",
    "เมื่อ(?:ไหร่|ไร|ใด)|อะไร|ใคร|ที่(?:ไหน|ใด)|ไหน|ทำไม|อย่างไร|ยังไง|เท่า(?:ไหร่|ไร|ใด)|กี่|ใด|(?:ใช่)?หรือ(?:ไม่|เปล่า)|(?:ใช่)?ไหม(?=$|[\\s?])|คือ",
    "ຫຍັງ|ໃຜ|ໃສ|ເມື່ອໃດ|ເທົ່າໃດ|ແນວໃດ|អ្វី|នរណា|ពេលណា|យ៉ាងណា|យ៉ាងម៉េច|ប៉ុន្មាន|ဘာ|ဘယ်(?:သူ|မှာ|လို|လောက်|တော့)?",
  ]
    .join("|")
    .normalize("NFKC"),
  "gu",
);

/** A text without words that ask, of scripts without spaces. */
export function withoutAsking(text: string): string {
  return text.replace(UNSPACED_ASKING, " ");
}
