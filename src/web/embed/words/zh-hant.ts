// The element's texts in Traditional Chinese.

import { zhHant as shared } from "../../words/zh-hant.ts";
import type { ElementWords } from "./en.ts";

export const words: ElementWords = {
  ...shared,
  label: "向文件提問",
  greeting: "您想了解什麼？",
  promise: "回答來自文件，並註明出處。",
  examples: "範例問題",
  clear: "新對話",
  toEnd: "到結尾",
  conversation: "問題與回答",
  loading: "正在載入對話…",
  left: (remaining, limit) => `剩餘 ${remaining} / ${limit} 次回答`,
  usedUp: (renewal) => `您的額度已用完。${renewal}`,
  offline: "您已離線。恢復連線後即可提問。",
  empty: "目前還沒有文件。加入文件後即可提問。",
  refusals: {
    UNAVAILABLE: "無法連線到服務，請稍後再試。",
    UNAUTHENTICATED: "請登入後再提問。",
    ORIGIN_NOT_LISTED: "此頁面無法提問。",
  },
};
