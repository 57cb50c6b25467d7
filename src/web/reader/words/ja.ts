// The fixed texts of the page in Japanese.

import { ja as shared } from "../../words/ja.ts";
import type { PageWords } from "./page-words.ts";

export const ja: PageWords = {
  ...shared,

  description: "文書にもとづく回答を、出典付きでお届けします。",
  heading: "文書に質問する",
  toQuestion: "質問欄へ",
  toEnd: "末尾へ",
  log: "質問と回答",
  newQuestion: "新しい質問",

  greeting: "何をお調べですか？",
  whole: "最後まで届いた回答だけが1回と数えられます。",
  quotes: "回答は文書からの引用そのままです。言語モデルは文章を書きません。",
  model: "回答は言語モデルが文書をもとに書きます。出典で確認してください。",
  examples: "質問の例",
  topics: "文書の項目",
  noDocuments: "文書がまだありません",
  noDocumentsHint: "文書が追加されると質問できるようになります。",

  questionsLeft: "残りの質問回数",
  left: (remaining, limit) => `残り${remaining}/${limit}回`,
  renews: (time) => `${time}に更新`,
  usedUp: "利用できる回数を使い切りました",

  history: "これまでの質問",
  historyEmpty: "まだありません。質問はここに残ります。回答は何度でも無料で読み返せます。",
  find: "質問を検索",
  noneFound: "この言葉を含む質問や回答はありません。",
  today: "今日",
  yesterday: "昨日",
  showMore: "さらに表示",
  delete: "削除",
  deleteThis: (question) => `削除：${question}`,
  deleteAsk: "この質問と回答を削除しますか？",
  keep: "残す",
  deleted: "削除しました。",
  notDeleted: "削除できませんでした。もう一度お試しください。",
  refunded: {
    disconnected: "途中で離脱、回数に含まず",
    cancelled: "停止、回数に含まず",
    nothing_found: "該当なし、回数に含まず",
    failed: "失敗、回数に含まず",
    expired: "中断、回数に含まず",
    operator: "払い戻し済み",
  },
  charged: "1回と数えられました。読み返すのは無料です",
  notWhole: "この回答は最後まで届きませんでした。回数には数えられず、保存もされていません。",
  notYours: "このリンクは質問した本人だけが開けます。この回答はあなたの履歴にありません。",

  offline:
    "オフラインです。表示中の内容はそのまま残ります。新しい質問には、オンラインに戻ると回答します。",
  unreachable: "現在、サービスに接続できません。",
  tryAgain: "再試行",
  cookies:
    "ブラウザーがCookieをブロックしています。質問するには、このサイトのCookieを許可してください。",

  signIn: "サインイン",
  signInFirst: "質問するにはサインインしてください。",
  haveToken: "アクセストークンを持っている",
  token: "アクセストークン",
  tokenHint:
    "受け取ったトークンを貼り付けてください。サインアウトするか閉じるまで、このタブにだけ保存されます。",
  tokenRefused: "このトークンは使えません。期限切れか、一部が欠けている可能性があります。",
  expired:
    "アクセスの期限が切れました。もう一度サインインしてください。入力した内容は残っています。",
  signOut: "サインアウト",
};
