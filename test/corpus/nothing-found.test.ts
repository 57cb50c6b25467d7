// Whether a search finds enough for an answer, in each kind of language.

import { describe, expect, it } from "vitest";
import { coverageMin } from "../../src/generators/coverage-min.ts";
import { newCorpus } from "./new-corpus.ts";

interface Kind {
  readonly language: string;
  readonly passages: readonly string[];
  readonly answered: readonly string[];
  /** Each shares words with the passages. */
  readonly foreign: readonly string[];
}

const KINDS: readonly Kind[] = [
  {
    language: "English",
    passages: [
      "The ferry to the island leaves at seven in the morning. Dogs travel free of charge.",
      "A ticket is valid for two days. Children under six need no ticket.",
      "The harbour office sells maps and keeps lost luggage for a month.",
      "In winter, storms may cancel the ferry. A refund is paid within a week.",
    ],
    answered: ["When does the ferry leave?", "How long is lost luggage kept?"],
    foreign: [
      "Who was the first president of Finland?",
      "How many days did the war in Korea last?",
    ],
  },
  {
    language: "German",
    passages: [
      "Die Fähre zur Insel fährt morgens um sieben ab. Hunde reisen kostenlos mit.",
      "Eine Fahrkarte gilt zwei Tage. Kinder unter sechs brauchen keine Fahrkarte.",
      "Das Hafenbüro verkauft Karten und bewahrt verlorenes Gepäck einen Monat auf.",
      "Im Winter kann die Fähre wegen Sturm ausfallen. Das Geld wird erstattet.",
    ],
    answered: ["Wann fährt die Fähre ab?", "Wie lange wird verlorenes Gepäck aufbewahrt?"],
    foreign: [
      "Welcher Präsident unterschrieb den Vertrag von Helsinki?",
      "Wie viele Tage dauerte der Krieg in Korea?",
    ],
  },
  {
    language: "Spanish",
    passages: [
      "El transbordador a la isla sale a las siete de la mañana. Los perros viajan gratis.",
      "El billete vale dos días. Los niños menores de seis años no necesitan billete.",
      "La oficina del puerto vende mapas y guarda el equipaje perdido durante un mes.",
      "En invierno las tormentas pueden cancelar el viaje. El dinero se devuelve.",
    ],
    answered: ["¿Cuándo sale el transbordador?", "¿Dónde se guarda el equipaje perdido?"],
    foreign: [
      "¿Quién firmó el tratado de Helsinki?",
      "¿Cuántos años tenía Mozart en su primera ópera?",
    ],
  },
  {
    language: "Russian",
    passages: [
      "Паром на остров отходит в семь утра. Собаки едут бесплатно.",
      "Билет действует два дня. Детям до шести лет билет не нужен.",
      "Портовая контора продаёт карты и хранит потерянный багаж один месяц.",
      "Зимой из-за шторма рейс могут отменить. Деньги возвращают за неделю.",
    ],
    answered: ["Когда отходит паром?", "Где хранится потерянный багаж?"],
    foreign: [
      "Какого президента Финляндии избрали первым?",
      "Сколько дней шла осада крепости Измаил?",
    ],
  },
  {
    language: "Greek",
    passages: [
      "Το πλοίο για το νησί φεύγει στις επτά το πρωί. Οι σκύλοι ταξιδεύουν δωρεάν.",
      "Το εισιτήριο ισχύει δύο ημέρες. Τα παιδιά κάτω των έξι δεν χρειάζονται εισιτήριο.",
      "Το γραφείο του λιμανιού πουλάει χάρτες και φυλάει χαμένες αποσκευές.",
      "Τον χειμώνα οι καταιγίδες ακυρώνουν το δρομολόγιο. Τα χρήματα επιστρέφονται.",
    ],
    answered: ["Πότε φεύγει το πλοίο για το νησί;", "Πού φυλάγονται οι χαμένες αποσκευές;"],
    foreign: [
      "Ποιος υπέγραψε τη συνθήκη του Ελσίνκι;",
      "Πόσες ημέρες κράτησε η πολιορκία της Βιέννης;",
    ],
  },
  {
    language: "Turkish",
    passages: [
      "Adaya giden feribot sabah yedide kalkar. Köpekler ücretsiz yolculuk eder.",
      "Bilet iki gün geçerlidir. Altı yaşından küçük çocuklara bilet gerekmez.",
      "Liman bürosu harita satar ve kayıp bagajları bir ay için saklar.",
      "Kışın fırtına nedeniyle seferler iptal edilebilir. Para iade edilir.",
    ],
    answered: ["Adaya giden feribot ne zaman kalkar?", "Kayıp bagajlar nerede saklanır?"],
    foreign: ["Finlandiya'nın ilk cumhurbaşkanı kimdi?", "Mozart hangi şehirde doğdu?"],
  },
  {
    language: "Arabic",
    passages: [
      "تغادر العبارة إلى الجزيرة في السابعة صباحا. تسافر الكلاب مجانا.",
      "التذكرة صالحة ليومين. لا يحتاج الأطفال دون السادسة إلى تذكرة.",
      "يبيع مكتب الميناء الخرائط ويحفظ الأمتعة المفقودة شهرا.",
      "في الشتاء قد تلغي العواصف الرحلة. ويعاد المال خلال أسبوع.",
    ],
    answered: ["متى تغادر العبارة؟", "أين تحفظ الأمتعة المفقودة؟"],
    foreign: ["من هو أول رئيس لفنلندا؟", "ما هو الرسم الصوري؟"],
  },
  {
    language: "Hindi",
    passages: [
      "द्वीप की नौका सुबह सात बजे निकलती है। कुत्ते मुफ़्त यात्रा करते हैं।",
      "टिकट दो दिन तक मान्य है। छह साल से छोटे बच्चों को टिकट नहीं चाहिए।",
      "बंदरगाह का दफ़्तर नक्शे बेचता है और खोया सामान एक महीने रखता है।",
      "सर्दियों में तूफ़ान के कारण यात्रा रद्द हो सकती है। पैसा लौटा दिया जाता है।",
    ],
    answered: ["नौका कितने बजे निकलती है?", "खोया सामान कहाँ रखा जाता है?"],
    foreign: ["फ़िनलैंड के पहले राष्ट्रपति कौन थे?", "कोरिया का युद्ध कितने दिन चला?"],
  },
  {
    language: "Vietnamese",
    passages: [
      "Phà ra đảo khởi hành lúc bảy giờ sáng. Chó được đi miễn phí.",
      "Vé có giá trị trong hai ngày. Trẻ em dưới sáu tuổi không cần vé.",
      "Văn phòng cảng bán bản đồ và giữ hành lý thất lạc trong một tháng.",
      "Mùa đông bão có thể làm hủy chuyến. Tiền được hoàn lại trong một tuần.",
    ],
    answered: ["Phà ra đảo khởi hành lúc mấy giờ?", "Hành lý thất lạc được giữ ở đâu?"],
    foreign: ["Ai là tổng thống đầu tiên của Phần Lan?", "Nhạc sĩ Mozart sinh ở thành phố nào?"],
  },
  {
    language: "Chinese",
    passages: [
      "去岛上的渡轮早上七点出发。狗可以免费乘船。",
      "船票两天内有效。六岁以下的儿童不需要船票。",
      "港口办公室出售地图，并保管遗失的行李一个月。",
      "冬天渡轮可能因风暴取消。一周内退款。",
    ],
    answered: ["渡轮几点出发？", "遗失的行李在哪里保管？"],
    foreign: ["芬兰的第一任总统是谁？", "莫扎特出生于哪座城市？"],
  },
  {
    language: "Japanese",
    passages: [
      "島へのフェリーは朝七時に出発します。犬は無料で乗れます。",
      "切符は二日間有効です。六歳未満の子供に切符は要りません。",
      "港の事務所は地図を売り、遺失物の荷物を一か月保管します。",
      "冬は嵐で欠航することがあります。一週間以内に払い戻します。",
    ],
    answered: ["島へのフェリーは何時に出発しますか", "荷物はどこで保管しますか？"],
    foreign: ["モーツァルトはいつ生まれた？", "フィンランドの首都はどこですか"],
  },
  {
    language: "Korean",
    passages: [
      "섬으로 가는 여객선은 아침 일곱 시에 출발합니다. 개는 무료로 탑니다.",
      "승선권은 이틀 동안 유효합니다. 여섯 살 미만 어린이는 승선권이 필요 없습니다.",
      "항구 사무소는 지도를 팔고 분실한 수하물을 한 달 동안 보관합니다.",
      "겨울에는 폭풍으로 운항이 취소될 수 있습니다. 요금은 환불됩니다.",
    ],
    answered: ["섬으로 가는 여객선은 언제 출발하나요?", "분실한 수하물을 어디에 보관하나요?"],
    foreign: ["핀란드의 초대 대통령은 누구인가요?", "모차르트는 어디에서 태어났나요?"],
  },
  {
    language: "Thai",
    passages: [
      "เรือข้ามฟากไปเกาะออกตอนเจ็ดโมงเช้า สุนัขเดินทางฟรี",
      "ตั๋วใช้ได้สองวัน เด็กอายุต่ำกว่าหกขวบไม่ต้องใช้ตั๋ว",
      "สำนักงานท่าเรือขายแผนที่และเก็บกระเป๋าที่หายไว้หนึ่งเดือน",
      "ในฤดูหนาวพายุอาจทำให้ยกเลิกเที่ยวเรือ คืนเงินภายในหนึ่งสัปดาห์",
    ],
    answered: ["เรือข้ามฟากไปเกาะออกเมื่อไหร่", "เก็บกระเป๋าที่หายไว้ที่ไหน"],
    foreign: ["ประธานาธิบดีคนแรกของฟินแลนด์คือใคร", "โมสาร์ทเกิดที่เมืองอะไร"],
  },
];

describe.each(KINDS)("a search in $language", ({ passages, answered, foreign }) => {
  it("finds enough for questions with an answer, and too little for others", async () => {
    const { stub, put } = newCorpus();
    for (const [i, text] of passages.entries()) await put(`d${i}`, { title: `${i}`, text });
    const isFound = async (question: string) => {
      const [best] = await stub.search(question, 1);
      return (best?.score ?? 0) >= coverageMin(question);
    };
    const found: string[] = [];
    for (const question of [...answered, ...foreign]) {
      if (await isFound(question)) found.push(question);
    }
    expect(found).toEqual(answered);
  });
});
