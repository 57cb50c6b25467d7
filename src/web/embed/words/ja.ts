// The element's texts in Japanese.

import { ja as shared } from "../../words/ja.ts";
import type { ElementWords } from "./en.ts";

export const words: ElementWords = {
  ...shared,
  label: "ドキュメントに質問",
  greeting: "何をお探しですか？",
  promise: "回答はドキュメントに基づき、出典が示されます。",
  examples: "質問の例",
  clear: "新しい会話",
  toEnd: "最後へ",
  conversation: "質問と回答",
  loading: "会話を読み込んでいます…",
  left: (remaining, limit) => `残り ${remaining} / ${limit} 回`,
  usedUp: (renewal) => `利用枠を使い切りました。${renewal}`,
  offline: "オフラインです。オンラインになると質問できます。",
  empty: "まだドキュメントがありません。追加されると質問できます。",
  refusals: {
    UNAVAILABLE: "サービスに接続できませんでした。しばらくしてからもう一度お試しください。",
    UNAUTHENTICATED: "質問するにはサインインしてください。",
    ORIGIN_NOT_LISTED: "このページでは質問できません。",
  },
};
