// The element's texts in Simplified Chinese.

import { zhHans as shared } from "../../words/zh-hans.ts";
import type { ElementWords } from "./en.ts";

export const words: ElementWords = {
  ...shared,
  label: "向文档提问",
  greeting: "您想了解什么？",
  promise: "回答来自文档，并注明出处。",
  examples: "示例问题",
  clear: "新对话",
  toEnd: "到末尾",
  conversation: "问题与回答",
  loading: "正在加载对话…",
  left: (remaining, limit) => `剩余 ${remaining} / ${limit} 次回答`,
  usedUp: (renewal) => `您的额度已用完。${renewal}`,
  offline: "您已离线。恢复联网后即可提问。",
  empty: "目前还没有文档。添加文档后即可提问。",
  refusals: {
    UNAVAILABLE: "无法连接到服务，请稍后再试。",
    UNAUTHENTICATED: "请登录后再提问。",
    ORIGIN_NOT_LISTED: "此页面无法提问。",
  },
};
