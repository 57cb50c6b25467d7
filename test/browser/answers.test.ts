// How the page renders Markdown. Each text must become the same elements, written
// whole, by character, or cut at random. The page and the service must agree on
// what a citation is.

import { afterAll, beforeAll, expect, it } from "vitest";
import { withCitations } from "../../src/answer/citations.ts";
import type { Source } from "../../src/protocol.ts";
import { Random } from "../support/random.ts";
import { type Page, Renderer } from "./renderer.ts";
import { Site, type Visit } from "./site.ts";

/** A text, and its HTML as Renderer.html writes it. */
type Case = readonly [text: string, html: string];

const DOLLARS: readonly Case[] = [
  [
    "Set $OPENAI_API_KEY in your shell first [1].\n\n## Then\n\nOpen it [2].",
    "<p>Set $OPENAI_API_KEY in your shell first {1}.</p><h4>Then</h4><p>Open it {2}.</p>",
  ],
  ["$FOO and **then** $BAR [1]", "<p>$FOO and <strong>then</strong> $BAR {1}</p>"],
  ["It costs $5 and $10, or US$ 7 [1].", "<p>It costs $5 and $10, or US$ 7 {1}.</p>"],
  [
    "Use `$HOME` and $\u007bvar} and $(id) $ [1]",
    "<p>Use <code>$HOME</code> and $\u007bvar} and $(id) $ {1}</p>",
  ],
  ["$$ is the process [1].\n\nNext [2].", "<p>$$ is the process {1}.</p><p>Next {2}.</p>"],
  ["$$\nx_1 * y_1\n$$\n\nNext [1].", "<p>$$<br>x_1 * y_1<br>$$</p><p>Next {1}.</p>"],
  [
    "| $a | $b |\n| --- | --- |\n| $5 [1] | $6 |",
    "<table><thead><tr><th>$a</th><th>$b</th></tr></thead><tbody><tr><td>$5 {1}</td><td>$6</td></tr></tbody></table>",
  ],
  [
    "- $5 [1]\n- $6 [2]\n\nEnd.",
    "<ul><li><p>$5 {1}</p></li><li><p>$6 {2}</p></li></ul><p>End.</p>",
  ],
  ["Escape \\( and \\[ first [1].\n\n## Then", "<p>Escape ( and [ first {1}.</p><h4>Then</h4>"],
  ["One \\[1\\] is text, one [1] is not.", "<p>One [1] is text, one {1} is not.</p>"],
];

const STRAY: readonly Case[] = [
  ["About ~5 and ~10 [1].\n\n## Then", "<p>About ~5 and ~10 {1}.</p><h4>Then</h4>"],
  ["5~10 and 20~30 are ~~not~~ struck [1].", "<p>5~10 and 20~30 are <s>not</s> struck {1}.</p>"],
  [
    "Use *.ts and *.js files [1].\n\n*Then* go.",
    "<p>Use *.ts and *.js files {1}.</p><p><em>Then</em> go.</p>",
  ],
  ["2 * 3 * 4 and 2**10 is fine [1].", "<p>2 * 3 * 4 and 2**10 is fine {1}.</p>"],
  [
    "REFUND_LIMIT and a_b_c and _this_ [1].",
    "<p>REFUND_LIMIT and a_b_c and <em>this</em> {1}.</p>",
  ],
  [
    "A lone ` here [1].\n\nAnother ` there [2].",
    "<p>A lone ` here {1}.</p><p>Another ` there {2}.</p>",
  ],
  [
    "If a < b and c > d then **x** [1].",
    "<p>If a &lt; b and c > d then <strong>x</strong> {1}.</p>",
  ],
  [
    "vector<std::string> and <T> and <br> [1].",
    "<p>vector&lt;std::string> and &lt;T> and &lt;br> {1}.</p>",
  ],
  ["a | b [1]\n\nc || d [2]", "<p>a | b {1}</p><p>c || d {2}</p>"],
  ["Take the array[0 and **go** [1].", "<p>Take the array[0 and <strong>go</strong> {1}.</p>"],
  ["Not ![an image and **go** [1].", "<p>Not ![an image and <strong>go</strong> {1}.</p>"],
  ["C:\\dir\\new and \\*this\\* \\ [1].", "<p>C:\\dir\\new and *this* \\ {1}.</p>"],
  [
    "a > b\n> quoted [1]\n\nout",
    "<p>a > b</p><blockquote><p>quoted {1}</p></blockquote><p>out</p>",
  ],
  ["**bold and [1]\n\n_not_ bold", "<p>**bold and {1}</p><p><em>not</em> bold</p>"],
  [
    "重要なのは**「これ」**です[1]。次へ",
    "<p>重要なのは<strong>「これ」</strong>です{1}。次へ</p>",
  ],
  ["コンピューター**「これ」**を [1]", "<p>コンピューター<strong>「これ」</strong>を {1}</p>"],
  ["R&amp;D &lt;div&gt; &copy; &nope; AT&T [1]", "<p>R&D &lt;div> © &nope; AT&T {1}</p>"],
];

const LINES: readonly Case[] = [
  [
    "```sh\r\nnpm ci\r\n```\r\n\r\nThen **open** [1]",
    "<pre>npm ci</pre><p>Then <strong>open</strong> {1}</p>",
  ],
  [
    "| a | b |\r\n| - | - |\r\n| 1 | 2 |\r\n\r\nThen [1]",
    "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table><p>Then {1}</p>",
  ],
  [
    "# One\r\rTwo [1]\r\r- a\r- b",
    "<h3>One</h3><p>Two {1}</p><ul><li><p>a</p></li><li><p>b</p></li></ul>",
  ],
  ["One\r\ntwo\rthree\nfour [1]", "<p>One<br>two<br>three<br>four {1}</p>"],
  [
    "> a\r\n> b\r\n\r\n1. c\r\n2. d",
    "<blockquote><p>a<br>b</p></blockquote><ol><li><p>c</p></li><li><p>d</p></li></ol>",
  ],
  ["~~~\r\na `[1]` b\r\n~~~\r\nout [2]", "<pre>a `[1]` b</pre><p>out {2}</p>"],
  ["Title\r\n=====\r\n\r\nText", "<h3>Title</h3><p>Text</p>"],
  ["```\na\n```\u00A0\nout [1]\n~~~\nb\n~~~\u3000", "<pre>a</pre><p>out {1}</p><pre>b</pre>"],
];

const TABLES: readonly Case[] = [
  [
    "| a | b | \n| --- | --- | \n| 1 | 2 | \n\nEnd",
    "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table><p>End</p>",
  ],
  [
    "| a | b |\u00A0\n|---|\u3000---|\u00A0\n| 1 | 2 |\u3000",
    "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
  ],
  [
    "a | b\n--- | ---\n1 | 2\n3 | 4 [1]",
    "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4 {1}</td></tr></tbody></table>",
  ],
  [
    "| l | c | r |\n| :-- | :-: | --: |\n| 1 | 2 | 3 |",
    "<table><thead><tr><th left>l</th><th center>c</th><th right>r</th></tr></thead><tbody><tr><td left>1</td><td center>2</td><td right>3</td></tr></tbody></table>",
  ],
  [
    "| one |\n| --- |\n| 1 |\n| [1] |",
    "<table><thead><tr><th>one</th></tr></thead><tbody><tr><td>1</td></tr><tr><td>{1}</td></tr></tbody></table>",
  ],
  [
    "| a | b |\n|---|---|\n| x \\| y | `p \\| q` |",
    "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>x | y</td><td><code>p | q</code></td></tr></tbody></table>",
  ],
  [
    "| a | b |\n|---|---|\n| `p | q` | [1] |",
    "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td><code>p | q</code></td><td>{1}</td></tr></tbody></table>",
  ],
  [
    "| a | b |\n|---|---|\n| **x** `y` | [z](https://good.test/) [1, 2] |",
    "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td><strong>x</strong> <code>y</code></td><td><a https://good.test/>z</a> {1}{2}</td></tr></tbody></table>",
  ],
  [
    "| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |\n| | |",
    "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td></td></tr><tr><td>1</td><td>2</td><td>3</td></tr><tr><td></td><td></td></tr></tbody></table>",
  ],
  [
    "| a | b |\n|---|---|\n| x<br>y<br/>z | `<br>` <b> [1] |",
    "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>x<br>y<br>z</td><td><code>&lt;br></code> &lt;b> {1}</td></tr></tbody></table>",
  ],
  [
    "Before:\n| a | b |\n|---|---|\n| 1 | 2 |",
    "<p>Before:</p><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
  ],
  [
    "   | a | b |\n   |---|---|\n   | 1 | 2 |",
    "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
  ],
  [
    "- In a list:\n\n  | a | b |\n  |---|---|\n  | 1 | 2 |\n- next",
    "<ul><li><p>In a list:</p><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table></li><li><p>next</p></li></ul>",
  ],
  ["| a | b |\n|---|---|", "<table><thead><tr><th>a</th><th>b</th></tr></thead></table>"],
  ["| a | b |\n|---|\n\n| not | a table", "<p>| a | b |<br>|---|</p><p>| not | a table</p>"],
  [
    "> | a | b |\n> |---|---|\n> | 1 | [1] |\n\nout",
    "<blockquote><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>{1}</td></tr></tbody></table></blockquote><p>out</p>",
  ],
  [
    "| a | b |\n|---|---|\n| 1 | 2 |\n## Next",
    "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table><h4>Next</h4>",
  ],
];

const LINKS: readonly Case[] = [
  [
    "[1](#S37] Beta is a whole sentence. [2](#S5) End.",
    "<p>{1}(#S37] Beta is a whole sentence. {2} End.</p>",
  ],
  ["[text](http://a b) and [1].", "<p>[text](http://a b) and {1}.</p>"],
  ["[text](http://good.test/a\nb) and [1].", "<p>[text](http://good.test/a<br>b) and {1}.</p>"],
  [
    "[1](#S37\u3000Beta) [a](https://good.test/\u00A0b) and [2].",
    "<p>{1}(#S37\u3000Beta) [a](https://good.test/&nbsp;b) and {2}.</p>",
  ],
  [
    "（见[1](#S37]整句话都在。）[2](#S5，另一句。) [3](https://good.test/文)",
    "<p>（见{1}(#S37]整句话都在。）{2}(#S5，另一句。) {3}</p>",
  ],
  ["(see [1](#S37] Beta[2](#S5]) end.", "<p>(see {1}(#S37] Beta{2}(#S5]) end.</p>"],
  ["[text](https://good.test/ and on [1]", "<p>[text](https://good.test/ and on {1}</p>"],
  [
    "[a](<https://good.test/x y>) [b](<https://good.test/>)",
    "<p><a https://good.test/x%20y>a</a> <a https://good.test/>b</a></p>",
  ],
  [
    "[a](https://good.test/ \"T\") [b](https://good.test/ 'T') [c](https://good.test/ (T))",
    "<p><a https://good.test/>a</a> <a https://good.test/>b</a> <a https://good.test/>c</a></p>",
  ],
  [
    "[a](https://good.test/x_(y)_z) ([b](https://good.test/))",
    "<p><a https://good.test/x_(y)_z>a</a> (<a https://good.test/>b</a>)</p>",
  ],
  [
    "[a [b] c](https://good.test/) [d [1] e](https://good.test/)",
    "<p><a https://good.test/>a [b] c</a> [d {1} e](https://good.test/)</p>",
  ],
  [
    "[1](https://good.test/) [[2]](https://good.test/) [[1], [2]] [99](https://good.test/)",
    "<p>{1} {2} [{1}, {2}] <a https://good.test/>99</a></p>",
  ],
  ["![img](https://good.test/i.png) ![img](", "<p><a https://good.test/i.png>img</a> ![img](</p>"],
  [
    "![see [1] x](https://good.test/i.png) [2]",
    "<p><a https://good.test/i.png>see [1] x</a> {2}</p>",
  ],
  [
    "[![badge](https://good.test/b.png)](https://good.test/)",
    "<p><a https://good.test/>badge</a></p>",
  ],
  [
    "[^1] and [1]: yes.\n\n[^1]: a note\n\n[1]: https://good.test/",
    "<p>[^1] and {1}: yes.</p><p>[^1]: a note</p><p>[1]: <a https://good.test/>https://good.test/</a></p>",
  ],
  ['[ref][1] and [ref]\n\n[ref]: /docs "T"', '<p>[ref]{1} and [ref]</p><p>[ref]: /docs "T"</p>'],
  [
    "<https://good.test/a> <a@b.test> <javascript:x()>",
    "<p><a https://good.test/a>https://good.test/a</a> <a mailto:a@b.test>a@b.test</a> &lt;javascript:x()></p>",
  ],
  [
    "[x](javascript:y()) [z]() [](https://good.test/)",
    "<p><span>x</span> [z]() <a https://good.test/>https://good.test/</a></p>",
  ],
  [
    "**https://good.test/a_b_c**, (https://good.test/a_(b)). 见https://good.test/x。",
    "<p><strong><a https://good.test/a_b_c>https://good.test/a_b_c</a></strong>, (<a https://good.test/a_(b)>https://good.test/a_(b)</a>). 见<a https://good.test/x>https://good.test/x</a>。</p>",
  ],
  [
    "[a](/healthz) [b](../b.md) [c](#c) [d](//evil.test/) [e](https://good.test/)",
    "<p><span>a</span> <span>b</span> <span>c</span> <span>d</span> <a https://good.test/>e</a></p>",
  ],
  [
    "见https://good.test/x。https://good.test/y，(https://good.test/z).",
    "<p>见<a https://good.test/x>https://good.test/x</a>。<a https://good.test/y>https://good.test/y</a>，(<a https://good.test/z>https://good.test/z</a>).</p>",
  ],
  [
    "[a](https://good.test/((b)_(c))_d) [e](https://good.test/",
    "<p><a https://good.test/((b)_(c))_d>a</a> [e](https://good.test/</p>",
  ],
  ["[open](https://good.test/(a(b) and [1]", "<p>[open](https://good.test/(a(b) and {1}</p>"],
  [
    "[a]\\(https://good.test/) \\[b](https://good.test/c)",
    "<p>[a](https://good.test/) [b](https://good.test/c)</p>",
  ],
];

const BLOCKS: readonly Case[] = [
  [
    "1. One\n2. Two\n   - deep [1]\n     - deeper\n3. Three",
    "<ol><li><p>One</p></li><li><p>Two</p><ul><li><p>deep {1}</p><ul><li><p>deeper</p></li></ul></li></ul></li><li><p>Three</p></li></ol>",
  ],
  [
    "7. Seven\n8. Eight\n\n- a\n* b",
    "<ol 7><li><p>Seven</p></li><li><p>Eight</p></li></ol><ul><li><p>a</p></li></ul><ul><li><p>b</p></li></ul>",
  ],
  [
    "- [x] done [1]\n- [ ] open\n- [2] cited",
    "<ul><li><span>☑</span><p>done {1}</p></li><li><span>☐</span><p>open</p></li><li><p>{2} cited</p></li></ul>",
  ],
  ["* * *\n\ntext\n***\nmore\n\n---", "<hr><p>text</p><hr><p>more</p><hr>"],
  ["#hash and #1\n\n# Yes #\n\n####### no", "<p>#hash and #1</p><h3>Yes</h3><p>####### no</p>"],
  ["````md\n```js\nx[1]\n```\n````\nout [1]", "<pre>```js\nx[1]\n```</pre><p>out {1}</p>"],
  [
    "- Do:\n\n  ```sh\n  a\n\n    b\n  ```\n- next",
    "<ul><li><p>Do:</p><pre>a\n\n  b</pre></li><li><p>next</p></li></ul>",
  ],
  ["```\nnever closed [1]\n\n**x**", "<pre>never closed [1]\n\n**x**</pre>"],
  ["    indented [1]\n\n    more\n\nout", "<pre>indented [1]\n\nmore</pre><p>out</p>"],
  [
    "Call `rows[1]` or ``a`[1]`b`` [2]",
    "<p>Call <code>rows[1]</code> or <code>a`[1]`b</code> {2}</p>",
  ],
  ["`a\nb` and ** not ** [1]", "<p><code>a b</code> and ** not ** {1}</p>"],
  ["只收费一次【1】。【2†source】、【99】 [1，2]", "<p>只收费一次{1}。{2}、【99】 {1}{2}</p>"],
  ["One  \ntwo\\\nthree\nfour", "<p>One<br>two<br>three<br>four</p>"],
  [
    "***both*** **a *b* c** *a **b** c* [1]!?",
    "<p><em><strong>both</strong></em> <strong>a <em>b</em> c</strong> <em>a <strong>b</strong> c</em> {1}!?</p>",
  ],
];

let site: Site;
let visit: Visit;
let renderer: Renderer;

beforeAll(async () => {
  site = await Site.open();
  visit = await site.visit();
  renderer = await Renderer.in(visit);
});
afterAll(async () => {
  await visit?.close();
  await site?.close();
});

it.each([
  ["dollars", DOLLARS],
  ["single marks", STRAY],
  ["ends of lines", LINES],
  ["tables", TABLES],
  ["links", LINKS],
  ["blocks and emphasis", BLOCKS],
])("%s are rendered correctly wherever they are cut", async (_, cases) => {
  const random = new Random(11);
  const ways = cases.flatMap(([text]) => [[text], text.split(""), cutAtRandom(text, random)]);
  const made = await renderer.html(ways);
  const shown = cases.map(([text, html], i) => ({
    text,
    ways: made.slice(i * 3, i * 3 + 3),
    html,
  }));
  expect(shown.map(({ text, ways }) => ({ text, ways }))).toEqual(
    shown.map(({ text, html }) => ({ text, ways: [html, html, html] })),
  );
  for (const { text, html } of shown) {
    const numbers = Array.from(html.matchAll(/\{(\d+)\}/g), ([, n]) => Number(n));
    expect([text, citedBy(text)]).toEqual([text, [...new Set(numbers)].sort((a, b) => a - b)]);
  }
});

it("an answer in a shadow root copies its code without touching the page around it", async () => {
  const copied = await visit.page.evaluate(async () => {
    const { Markdown } = globalThis as unknown as Page;
    const host = document.createElement("div");
    document.getElementById("log")?.replaceChildren(host);
    const shadow = host.attachShadow({ mode: "open" });
    const root = shadow.appendChild(document.createElement("div"));
    const said: string[] = [];
    const words = { copyCode: "Copy", copied: "Copied.", copyRefused: "Refused." };
    const say = (words: string) => said.push(words);
    const markdown = new Markdown(root, { cite: () => undefined, words, say });
    markdown.write("```js\na < b\n```\n");
    await markdown.end();
    Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true });
    let text = "";
    shadow.addEventListener("copy", ({ target }) => {
      text = (target as HTMLTextAreaElement).value;
    });
    const around = new MutationObserver(() => {});
    around.observe(document, { childList: true, subtree: true, attributes: true });
    const copy = root.querySelector("button");
    copy?.click();
    await new Promise((resolve) => setTimeout(resolve));
    Reflect.deleteProperty(navigator, "clipboard");
    return {
      said,
      text,
      changes: around.takeRecords().length,
      fields: root.querySelectorAll("textarea").length,
      focus: shadow.activeElement === copy,
    };
  });
  expect(copied).toMatchObject({ said: ["Copied."], text: "a < b", changes: 0 });
  expect(copied).toMatchObject({ fields: 0, focus: true });
});

it("rendered nodes stay in place while the rest is written", async () => {
  const kept = await visit.page.evaluate(async () => {
    const { Markdown } = globalThis as unknown as Page;
    const root = document.createElement("div");
    document.getElementById("log")?.replaceChildren(root);
    const cite = (n: number) => ({ name: `${n}`, open() {} });
    const words = { copyCode: "Copy the code", copied: "", copyRefused: "" };
    const markdown = new Markdown(root, { cite, words, say() {} });
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    const write = async (text: string) => {
      markdown.write(text);
      await frame();
    };
    await write("# Head\n\nFirst [1].\n\n- item\n- second **strong** and");
    const before = [...root.querySelectorAll("h3, p, li, button, strong")];
    const cited = root.querySelector("button");
    cited?.focus();
    const strong = root.querySelector("strong")?.firstChild;
    if (strong) getSelection()?.setBaseAndExtent(strong, 1, strong, 4);
    for (const piece of [" more", " [2]", "\n  - deep", "\n\nAfter\n\n```js\na", "\nb"])
      await write(piece);
    const copy = root.querySelector(".code button");
    const code = root.querySelector("code")?.textContent;
    await write("\nc\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n");
    await markdown.end();
    return {
      lost: before.filter((node) => !node.isConnected).map((node) => node.outerHTML),
      focus: document.activeElement === cited,
      selection: `${getSelection()}`,
      code,
      copy: copy !== null && copy === root.querySelector(".code button"),
    };
  });
  expect(kept).toEqual({ lost: [], focus: true, selection: "tro", code: "a\nb", copy: true });
});

it("an answer has the direction of its first letter, also after code and numbers", async () => {
  const dirs: (string | undefined)[] = [];
  for (const text of [
    "12 [1]\n\n```sh\nnpm ci\n```\n\n- **الحصة** and more\n\nEnglish",
    "1. **“שלום”** [1]",
    "| 1 | 2 |\n|---|---|\n| ٣ | سعر |",
    "English, then الحصة",
    "只收费一次。الحصة",
    "1 [1] !?",
  ]) {
    await renderer.show(text);
    dirs.push(
      await visit.page.evaluate(
        () => getComputedStyle(document.querySelector("#log .answer") as Element).direction,
      ),
    );
  }
  expect(dirs).toEqual(["rtl", "rtl", "rtl", "ltr", "ltr", "ltr"]);
});

it("the cells of a column are aligned, whatever they hold", async () => {
  await renderer.show(
    "الحصة\n\n| البند | Cost | السعر |\n|---|---|--:|\n| واحد | 5 | 10 $ |\n| ١ | x | ثمن |\n",
  );
  const columns = await visit.page.evaluate(() => {
    const side = (cell: Element) => {
      const words = document.createRange();
      words.selectNodeContents(cell);
      const [inner, outer] = [words.getBoundingClientRect(), cell.getBoundingClientRect()];
      return inner.left - outer.left < outer.right - inner.right ? "left" : "right";
    };
    const rows = [...document.querySelectorAll("#log tr")];
    return [0, 1, 2].map((n) => rows.map((row) => side(row.children[n] as Element)));
  });
  const right = ["right", "right", "right"];
  expect(columns).toEqual([right, right, right]);
});

it("unfinished marks do not flash up", async () => {
  const seen = await visit.page.evaluate(async () => {
    const { Markdown } = globalThis as unknown as Page;
    const root = document.createElement("div");
    document.getElementById("log")?.replaceChildren(root);
    const cite = (n: number) => ({ name: `${n}`, open() {} });
    const words = { copyCode: "Copy the code", copied: "", copyRefused: "" };
    const markdown = new Markdown(root, { cite, words, say() {} });
    const text =
      "Some **strong**, `code` [1] and [link](https://good.test/).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n---\n\n- [x] done\n\n## End";
    const seen: string[] = [];
    for (const char of text) {
      markdown.write(char);
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      seen.push(root.textContent ?? "");
    }
    await markdown.end();
    return seen;
  });
  expect(seen.filter((text) => /[*`[\]()|#-]/.test(text))).toEqual([]);
});

/** The sources that the service counts as cited. */
function citedBy(text: string): number[] {
  const sources = Array.from(
    { length: 12 },
    (_, i): Source => ({
      ...{ n: i + 1, id: `doc#${i}`, documentId: "doc", title: "Quota", heading: [], url: null },
      ...{ snippet: "", score: 1 },
    }),
  );
  return withCitations(sources, text).flatMap(({ n, cited }) => (cited ? [n] : []));
}

function cutAtRandom(text: string, random: Random): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    const length = random.whole(1, 6);
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}
