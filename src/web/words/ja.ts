// The fixed texts in Japanese.

import type { Words } from "./words.ts";

export const ja: Words = {
  lang: "ja",

  placeholder: "質問を入力",
  followUp: "続けて質問する",
  yourQuestion: "質問",
  ask: "質問する",
  stop: "停止",
  oneAtATime: "回答は一つずつです。終わるまで待つか、停止してください。",
  questionTooLong: (max) => `質問は${max}文字までです。`,

  searching: "文書を検索しています…",
  opening: "回答を開いています…",
  writing: "回答を書いています…",
  answering: "回答が始まりました。",
  resuming: "接続が切れました。再開しています…",
  waitingOffline: "オフラインです。オンラインに戻ると回答の続きが表示されます。",
  connectedAgain: "再接続しました。",

  cut: "回答は最大の長さで打ち切られました。",
  notCharged: "この質問は回数に数えられていません。",
  readOut: (answer) => `回答：${answer}`,
  readOutLength: (_words, characters) => `回答が完了しました。約${characters}文字です。`,
  copyAnswer: "回答をコピー",
  copyCode: "コードをコピー",
  copied: "コピーしました。",
  copyRefused: "ブラウザーがコピーを許可しませんでした。文字列を選択してコピーしてください。",
  copyLink: "この回答へのリンクをコピー",
  linkCopied: "リンクをコピーしました。開けるのはあなただけです。",
  askAgain: "もう一度質問する",
  related: "関連する質問",
  goodAnswer: "良い回答",
  badAnswer: "良くない回答",
  comment: "この回答へのコメント",
  tellUsWhy: "理由をお聞かせください（任意）",
  send: "送信",
  thanks: "ありがとうございます。",
  feedbackFailed: "評価を送信できませんでした。もう一度お試しください。",

  sources: "出典",
  sourceCount: (n) => `出典${n}件`,
  moreSources: (n) => `引用されていない出典${n}件`,
  closestPassages: "近い箇所",
  source: (n, title) => `出典${n}：${title}`,
  openDocument: "文書を開く",
  close: "閉じる",

  stopped: {
    refunded: "停止しました。回数には数えられていません。",
    charged:
      "停止は間に合いませんでした。回答は完成していたため1回と数えられ、履歴に残っています。",
    reserved:
      "停止しました。払い戻しの上限に達しているため、回答は最後まで書かれて1回と数えられ、履歴に残ります。",
  },
  stoppedShort: "停止しました。",
  quotaUsedUp: (renewal) =>
    `利用できる回数を使い切りました。${renewal}この質問は数えられていません。`,
  renewsAt: (time, wait) => `${time}（${wait}）に元に戻ります。`,
  neverRenews: "回数は元に戻りません。",
  connectionLost:
    "接続が切れました。最後まで届かなかった回答は回数に数えられません。この質問の結果は履歴で確認できます。",
  pageFault: "このページで問題が発生しました。再読み込みしてください。",
  signedOut: "サインインの有効期限が切れました。",
  failures: {
    GENERATION_FAILED:
      "回答が途中で途切れました。回数には数えられていません。もう一度質問してください。",
    GENERATION_TIMEOUT:
      "回答に時間がかかりすぎました。回数には数えられていません。もう一度質問してください。",
    RETRIEVAL_FAILED:
      "文書を検索できませんでした。回数には数えられていません。もう一度質問してください。",
    UNAVAILABLE:
      "現在、回答できません。回数には数えられていません。しばらくしてからお試しください。",
    BUDGET_EXCEEDED:
      "このサイトの利用枠は現在使い切られています。回数は消費されていません。しばらくしてからもう一度お試しください。",
    TOO_MANY_STREAMS: "ほかの回答がまだ書かれています。終わってからもう一度質問してください。",
    TOO_MANY_SESSIONS:
      "同じネットワークからのアクセスが集中しています。1分ほどしてからお試しください。",
    BLOCKED: "現在ここでは質問できません。サイトの運営者にお問い合わせください。",
    NOT_KEPT:
      "この回答は保存されていません。回数には数えられていません。もう一度質問してください。",
    NOT_FOUND: "この回答は存在しないか、あなたのものではありません。",
    INVALID_REQUEST: "この質問は受け付けられません。別の言い方で質問してください。",
    PAYLOAD_TOO_LARGE: "質問が長すぎます。",
  },
  failed:
    "うまくいきませんでした。数えられるのは最後まで届いた回答だけです。もう一度お試しください。",
};
