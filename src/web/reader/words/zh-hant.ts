// The fixed texts of the page in Chinese, in traditional characters.

import { zhHant as shared } from "../../words/zh-hant.ts";
import type { PageWords } from "./page-words.ts";

export const zhHant: PageWords = {
  ...shared,

  description: "依據文件作答，並附上來源。",
  heading: "向文件提問",
  toQuestion: "跳到提問欄",
  toEnd: "跳到末尾",
  log: "問題與回答",
  newQuestion: "新問題",

  greeting: "你想了解什麼？",
  whole: "只有完整送達的回答才會扣除次數。",
  quotes: "回答逐字引自文件，不由語言模型撰寫。",
  model: "回答由語言模型依據文件撰寫，請對照來源核實。",
  examples: "範例問題",
  topics: "文件中的主題",
  noDocuments: "還沒有文件",
  noDocumentsHint: "新增文件後即可提問。",

  questionsLeft: "剩餘提問次數",
  left: (remaining, limit) => `剩餘 ${remaining}/${limit} 次`,
  renews: (time) => `${time} 恢復`,
  usedUp: "提問次數已用完",

  history: "你的問題",
  historyEmpty: "還沒有問題。你的問題會保存在這裡，重讀回答不扣次數。",
  find: "搜尋你的問題",
  noneFound: "沒有問題或回答包含這些詞。",
  today: "今天",
  yesterday: "昨天",
  showMore: "顯示更多",
  delete: "刪除",
  deleteThis: (question) => `刪除：${question}`,
  deleteAsk: "刪除這個問題和它的回答？",
  keep: "保留",
  deleted: "已刪除。",
  notDeleted: "未能刪除，請再試一次。",
  refunded: {
    disconnected: "中途離開，未扣次數",
    cancelled: "已停止，未扣次數",
    nothing_found: "沒有找到，未扣次數",
    failed: "失敗，未扣次數",
    expired: "中斷，未扣次數",
    operator: "已退還",
  },
  charged: "已扣 1 次，重讀不再扣除",
  notWhole: "這個回答沒有完整送達，沒有扣除次數，也沒有保存。",
  notYours: "此連結只有提問者本人能開啟，你的記錄中沒有這個回答。",

  offline: "你已離線。已顯示的內容會保留，恢復連線後會回答新問題。",
  unreachable: "暫時無法連線到服務。",
  tryAgain: "重試",
  cookies: "瀏覽器封鎖了 Cookie。請為本站允許 Cookie 後再提問。",

  signIn: "登入",
  signInFirst: "請先登入再提問。",
  haveToken: "我有存取權杖",
  token: "存取權杖",
  tokenHint: "貼上你收到的權杖。它只保存在此分頁中，直到你登出或關閉分頁。",
  tokenRefused: "權杖無效，可能已過期或不完整。",
  expired: "登入已過期，請重新登入。你輸入的內容已保留。",
  signOut: "登出",
};
