// The fixed texts of the page in Chinese, in simplified characters.

import { zhHans as shared } from "../../words/zh-hans.ts";
import type { PageWords } from "./page-words.ts";

export const zhHans: PageWords = {
  ...shared,

  description: "依据文档作答，并附上来源。",
  heading: "向文档提问",
  toQuestion: "跳到提问框",
  toEnd: "跳到末尾",
  log: "问题与回答",
  newQuestion: "新问题",

  greeting: "你想了解什么？",
  whole: "只有完整送达的回答才会扣除次数。",
  quotes: "回答逐字引自文档，不由语言模型撰写。",
  model: "回答由语言模型依据文档撰写，请对照来源核实。",
  examples: "示例问题",
  topics: "文档中的主题",
  noDocuments: "还没有文档",
  noDocumentsHint: "添加文档后即可提问。",

  questionsLeft: "剩余提问次数",
  left: (remaining, limit) => `剩余 ${remaining}/${limit} 次`,
  renews: (time) => `${time} 恢复`,
  usedUp: "提问次数已用完",

  history: "你的问题",
  historyEmpty: "还没有问题。你的问题会保存在这里，重读回答不扣次数。",
  find: "搜索你的问题",
  noneFound: "没有问题或回答包含这些词。",
  today: "今天",
  yesterday: "昨天",
  showMore: "显示更多",
  delete: "删除",
  deleteThis: (question) => `删除：${question}`,
  deleteAsk: "删除这个问题和它的回答？",
  keep: "保留",
  deleted: "已删除。",
  notDeleted: "未能删除，请再试一次。",
  refunded: {
    disconnected: "中途离开，未扣次数",
    cancelled: "已停止，未扣次数",
    nothing_found: "没有找到，未扣次数",
    failed: "失败，未扣次数",
    expired: "中断，未扣次数",
    operator: "已退还",
  },
  charged: "已扣 1 次，重读不再扣除",
  notWhole: "这个回答没有完整送达，没有扣除次数，也没有保存。",
  notYours: "此链接只有提问者本人能打开，你的记录中没有这个回答。",

  offline: "你已离线。已显示的内容会保留，恢复联网后会回答新问题。",
  unreachable: "暂时无法连接服务。",
  tryAgain: "重试",
  cookies: "浏览器阻止了 Cookie。请为本站允许 Cookie 后再提问。",

  signIn: "登录",
  signInFirst: "请先登录再提问。",
  haveToken: "我有访问令牌",
  token: "访问令牌",
  tokenHint: "粘贴你收到的令牌。它只保存在此标签页中，直到你退出登录或关闭标签页。",
  tokenRefused: "令牌无效，可能已过期或不完整。",
  expired: "登录已过期，请重新登录。你输入的内容已保留。",
  signOut: "退出登录",
};
