// Commands that destroy something: quoted only to those who ask for that.
// Pure.

const TOOLS =
  "npm|npx|pnpm|yarn|bun|pip|pipx|uv|cargo|gem|brew|apt|apt-get|dnf|yum|pacman|choco|winget|snap|docker|podman|kubectl|helm|terraform|git|wrangler|vercel|netlify|heroku|fly|flyctl|aws|az|gcloud|redis-cli|systemctl";
const DESTROYS =
  "rm|rmi|delete|del|uninstall|remove|destroy|purge|prune|drop|down\\s+-v|reset\\s+--hard|push\\s+(?:-f|--force)|clean(?=\\s+-)|flushall|flushdb";
const COMMAND = new RegExp(
  [
    String.raw`(?<![\p{L}\p{N}_-])rm\s+-`,
    String.raw`(?<![\p{L}\p{N}_-])(?:${TOOLS})(?:\s+[^\s.,;!?]+){0,4}?\s+(?:${DESTROYS})(?![\p{L}\p{N}_])`,
    String.raw`\b(?:DROP|TRUNCATE)\s+(?:TABLE|DATABASE|SCHEMA|INDEX)\b|\bDELETE\s+FROM\b`,
    String.raw`\bDELETE\s+(?:https?:\/)?\/`,
    String.raw`\bmkfs\b|\bdd\s+if=|\bRemove-Item\b|\brmdir\s+\/`,
  ].join("|"),
  "u",
);

/** To destroy, in the languages of the stop words. */
const ASKS = new RegExp(
  [
    String.raw`\b(?:un-?install|delet|remov|eras|drop|destroy|wip|purg|prun|clean|clear|reset|discard|undo|revok|rid\b|get\s+rid|start\s+(?:over|again)|rm\b|flush|empty)`,
    "删除|移除|卸载|清除|清空|清理|重置|销毁|删掉|去掉|刪除|卸載|重設|削除|消去|アンインストール|リセット|삭제|제거|초기화|지우",
    "lösch|entfern|deinstall|supprim|effac|désinstall|enlev|borr[aeo]|elimin|desinstal|remov|apag|cancell|disinstall|rimuov|verwijder|wis\\b|ta bort|slett|fjern|usun|odinstal|smaz|odstran|șterg|sterg|dezinstal|sil(?:mek|in|me|er|ebil|ir)|kaldır|xóa|xoá|gỡ|hapus|poista|töröl",
    "удал|стер|очист|сброс|видал|διαγρ|απεγκατ|حذف|إزالة|ازالة|מחק|הסר|हटा|मिटा|ลบ",
  ].join("|"),
  "iu",
);

/** Longer code is a file or a script: such a command is one of many in it. */
const LINES_MAX = 3;

export function isDestructive(text: string): boolean {
  return COMMAND.test(text) && text.split("\n").length <= LINES_MAX;
}

export function asksToDestroy(query: string): boolean {
  return ASKS.test(query);
}
