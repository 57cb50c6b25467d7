// Commands that destroy something, and who asks for them.

import { describe, expect, it } from "vitest";
import { asksToDestroy, isDestructive } from "../../src/generators/destructive.ts";

describe("a command that destroys", () => {
  it.each([
    ...["Run rm -rf node_modules.", "rm -r data", "npx wrangler delete --env production"],
    ...["npm uninstall belay", "docker system prune", "docker rm web", "kubectl delete pod web"],
    ...["git reset --hard", "git push --force", "git clean -fd", "DROP TABLE users;"],
    ...["DELETE FROM users", "TRUNCATE TABLE logs", "Send DELETE /api/v1/documents/7."],
    ...[
      "curl -X DELETE https://api.example/documents/7",
      "redis-cli flushall",
      "mkfs.ext4 /dev/sda",
    ],
    ...["terraform destroy", "helm uninstall web", "brew remove wget", "apt-get purge nginx"],
  ])("is in: %s", (text) => {
    expect(isDestructive(text)).toBe(true);
  });

  it.each([
    ...["Run npm install.", "Users delete their files on this page.", "The form of the rm command"],
    ...["git push origin main", "docker run web", "Send GET /api/v1/documents.", "perform it"],
    ...[
      "The drop table of the game",
      "npm run build",
      "kubectl get pods",
      "FROM node\nRUN npm ci\nRUN npm prune\nCMD node",
      "a charm -- of sorts",
    ],
  ])("is not in: %s", (text) => {
    expect(isDestructive(text)).toBe(false);
  });
});

describe("a question about destroying", () => {
  it.each([
    ...["How do I delete a document?", "How can I uninstall it?", "remove a user", "Reset my data"],
    ...["How do I get rid of old logs?", "clean up the cache", "如何删除文档？", "怎么卸载"],
    ...[
      "Wie lösche ich ein Dokument?",
      "¿Cómo borro un archivo?",
      "Как удалить файл?",
      "削除の方法",
    ],
  ])("is: %s", (query) => {
    expect(asksToDestroy(query)).toBe(true);
  });

  it.each([
    ...["How do I install it?", "Where is my data stored?", "What is Belay?", "如何安装？"],
    ...["How do I add a document?", "Wie installiere ich es?", "¿Cómo lo instalo?"],
  ])("is not: %s", (query) => {
    expect(asksToDestroy(query)).toBe(false);
  });
});
