import { describe, expect, it, test } from "vitest";
import { frontMatter } from "../../src/intake/front-matter.ts";
import { markdown } from "../../src/intake/markdown.ts";

describe("front matter", () => {
  test.each([
    "---\ntitle: A\n---\ntext",
    '+++\ntitle = "A"\n+++\n\ntext',
    "\ufeff---\r\ntitle: A\r\ndraft: true\r\n---\r\ntext",
    "---\n\n# a comment\ntitle: A\n---  \ntext",
    "---\n---\ntext",
    "---\n标题: 甲\n---\ntext",
    '+++\n[params]\na = "b"\n+++\ntext',
    "---\ntitle: A\n...\ntext",
    "---\r\ntitle: A\r\n... \r\n\r\ntext",
  ])("is left out of the text: %j", (whole) => {
    expect(markdown.read(whole)).toMatchObject({
      text: "text",
      sections: [{ blocks: [{ text: "text" }] }],
    });
  });

  test.each([
    "---\n\nJust a rule.\n\n---\n\ntext",
    "---\ntitle: A\n\ntext",
    "text\n\n---\ntitle: A\n---\n",
    "+++\nplus plus plus\n+++\n",
    "--- title: A\n---\ntext",
    "+++\ntitle = 'A'\n...\ntext",
    "---\ntitle: A\n....\ntext",
    "---\n\nAnd so on\n...\n\ntext",
  ])("is not assumed between thematic breaks: %j", (whole) => {
    expect(frontMatter(whole)).toEqual({ title: undefined, text: whole });
  });

  it("may be missing after a byte order mark", () => {
    expect(markdown.read("\ufeff# A\n\ntext")).toMatchObject({
      title: "A",
      text: "# A\n\ntext",
      sections: [{ heading: ["A"], blocks: [{ text: "text" }] }],
    });
  });
});
