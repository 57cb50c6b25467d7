// What people write for a site generator rather than for Markdown: it is
// taken off or read as what it is, and what it holds stays.

import { describe, expect, it } from "vitest";
import { markdown } from "../../src/intake/markdown.ts";
import { passages } from "../../src/intake/passages.ts";

const passagesOf = (text: string) => passages(markdown.read(text).sections);
const shown = (text: string) =>
  passagesOf(text)
    .map((passage) => passage.text)
    .join("\n\n");

describe("words in HTML", () => {
  it.each([
    ["| Pro | Sign-on<br>Log<BR/>Hooks |\n|---|---|", "Pro | Sign-on Log Hooks"],
    ["- one<br />two", "- one two"],
    ["## One<br>Two\n\nthree", "three"],
    ["in<wbr>side <b>bo</b>ld foo<!-- x -->bar", "inside bold foobar"],
    ["<kbd>Ctrl</kbd>+<kbd>C</kbd>, then<kbd>X</kbd>.", "Ctrl+C, then X."],
    ["<code>a</code><code>b</code> or <code>c</code>s", "a b or cs"],
    ["<a href='x'>one</a><a href='y'>two</a>", "one two"],
    ["[one](x)[two](y) ![three](z)![four](w)", "one two three four"],
    ['<img alt="a > b &#x26;" src=x>text', "a > b & text"],
    ['a <button @click="b = c > d">e</button> <b #f (g)="h">i</b> j < k', "a e i j < k"],
    ["a <script>let b;</script> c <style>d{}</style>", "a c"],
    ["<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字</ruby>", "漢字"],
    [
      "10<sup>6</sup> m<sup>2</sup> of H<sub>2</sub>O, the 5<sup>th</sup>",
      "10⁶ m² of H2O, the 5th",
    ],
    ["x<details><summary>More</summary>inside</details>", "x More inside"],
    ["<dl><dt>One</dt><dd>Two</dd></dl>", "One Two"],
    ["<ul><li>one</li><li>two <ol><li>three</li></ol></li></ul>", "- one\n- two three"],
    [
      "<table>\n<tr><th>Plan</th><th>Price</th></tr>\n<tr><td>Pro</td><td>$9<br>a month</td></tr>\n</table>",
      "Plan | Price\nPro | $9 a month",
    ],
    ["<table><tr><td>one</td><td>two</td></tr></table>", "one two"],
    ['<pre lang="sh">\nnpm i &lt;x&gt;\n  <b>y</b>\n</pre>', "npm i <x>\n  y"],
    ["R&amp;D R&#38;D R&#x26;D &lt;b&gt; &amp;lt; &nope;", "R&D R&D R&D <b> &lt; &nope;"],
    ["<p>R&amp;D &amp;lt;</p>", "R&D &lt;"],
    ["Put <name> before <Value>, <b>not</b> <br>after.", "Put <name> before <Value>, not after."],
    ["`R&amp;D<br>` and\n\n```\nS&amp;T<br>\n```", "R&amp;D<br> and\n\nS&amp;T<br>"],
  ])("are as far apart as on a page: %j", (text, seen) => {
    expect(shown(text)).toBe(seen);
  });

  it("are decoded in a title", () => {
    expect(markdown.read("---\ntitle: R&amp;D\n---\ntext").title).toBe("R&D");
  });
});

describe("the anchor of a heading", () => {
  it.each([
    ["## A b {#id}", "A b", "id"],
    ["## A b {: #id }", "A b", "id"],
    ["## A b { #id .c data-x='y z' }", "A b", "id"],
    ["## A b {.c #id}", "A b", "id"],
    ['## A b {id="id"}', "A b", "id"],
    ["## A b ## {#id}", "A b", "id"],
    ["## A b \\{#id}", "A b", "id"],
    ["## A b {/* #id */}", "A b", "id"],
    ["## A b {% #id %}", "A b", "id"],
    ["A b {#id}\n---", "A b", "id"],
    ["## A b\n{: #id .c}", "A b", "id"],
    ["(id)=\n## A b", "A b", "id"],
    ['## <a id="id"></a>A b', "A b", "id"],
    ['## <a name="id">A b</a>', "A b", "id"],
    ["## A b <span id='id'/>", "A b", "id"],
    ['<a id="id"></a>\n## A b', "A b", "id"],
    ['<a name="id"></a>\n\n## A b', "A b", "id"],
    ['text\n<a id="id"></a>\n\n## A b', "A b", "id"],
    ['<div id="id"></div>\n\n## A b', "A b", "id"],
    ['<h1 id="id">A b</h1>', "A b", "id"],
    ['<div id="id">\n  ## A b\n</div>', "A b", "id"],
    ["## A b [](#id)", "A b", "id"],
    ['## A b [¶](#id "Permalink")', "A b", "id"],
    ["## [#](#id) A b", "A b", "id"],
    ["## A b [\u200b](#id)", "A b", "id"],
    ['## A b <a class="x" href="#id">#</a>', "A b", "id"],
    ["## A b {.c}", "A b", "a-b"],
    ["## A {b}", "A {b}", "a-b"],
    ["## A {{ b }}", "A {{ b }}", "a--b-"],
    ["## A [b](#id)", "A b", "a-b"],
    ['<div id="id">\n\n## A b', "A b", "a-b"],
    ['<a id="id"></a> text\n\n## A b', "A b", "a-b"],
    ['## A b <Badge text="new" />', "A b (new)", "a-b"],
  ])("of %j", (heading, text, anchor) => {
    expect(passagesOf(`${heading}\n\nfollows`).at(-1)).toMatchObject({
      heading: [text],
      anchor,
      text: "follows",
    });
  });

  it("is not made of a badge, which no title repeats", () => {
    expect(markdown.read('# A <Badge text="new" />\n\nb').title).toBe("A");
  });
});

describe("a container", () => {
  it("that is an alert holds paragraphs, and a quote beside it stays one", () => {
    const { sections } = markdown.read(
      "> [!NOTE] My title\n> one\n\n- > [!TIP]\n  > two\n\n> three",
    );
    const blocks = sections.flatMap(({ blocks }) => blocks.map(({ kind, text }) => [kind, text]));
    expect(blocks).toEqual([
      ["paragraph", "My title: one"],
      ["item", "- two"],
      ["quote", "three"],
    ]);
  });

  it.each([
    [":::tip\ntext\n:::", "text"],
    ["::: tip My *title*\ntext\n:::\nafter", "My title: text\n\nafter"],
    [":::note[My title]{.c}\ntext\n:::", "My title: text"],
    ['::: {.callout-note title="My title"}\ntext\n:::', "My title: text"],
    ["::: details 点击 {open}\ntext\n:::", "点击：text"],
    [":::: a\n::: b\ntext\n:::\n::::", "text"],
    ["::: code-group\n\n```sh [npm]\nnpm i\n```\n\n:::", "npm i"],
    ["- one\n  :::tip\n  two\n  :::\n- three", "- one\n  two\n- three"],
    [":::{note} My title\n:class: c\ntext\n:::", "My title: text"],
    ["```{note} My title\n*text*\n```", "My title: text"],
    ["```{code-block} js\n*text*\n```", "*text*"],
    [':::image type="content" source="a.png" alt-text="A map":::', "A map"],
    ["::: tabs\n@tab npm\none\n@tab yarn\ntwo\n:::", "npm: one\n\nyarn: two"],
    ["/// note | My title\ntext\n///", "My title: text"],
    ["> [!WARNING]\n> text", "text"],
    ["> [!tip]- My title\n> - a\n> - b", "My title:\n\n- a\n- b"],
    [
      'before\n!!! note "My title"\n    *text*\n\n        code\n\nafter',
      "before\n\nMy title: text\n\ncode\n\nafter",
    ],
    ["??? question\n    - a\n    - b\n\nafter", "- a\n- b\n\nafter"],
    [
      '=== "npm"\n\n    ```sh\n    npm i\n    ```\n\n=== "yarn"\n\n    text',
      "npm:\n\nnpm i\n\nyarn: text",
    ],
    ['??? q "Why?"\n    Because.', "Why? Because."],
    ["::: tip 注意\n同时使用。\n:::", "注意：同时使用。"],
    ['=== "empty"\n\nafter', "empty\n\nafter"],
    [':::image alt-text="A map":::\n\nafter', "A map\n\nafter"],
    ["!!! Please read this first", "!!! Please read this first"],
    ["!> Mind *this*.", "Mind this."],
    ["a ::: b", "a ::: b"],
  ])("is read as what it holds: %j", (text, seen) => {
    expect(shown(text)).toBe(seen);
  });
});

describe("a template tag", () => {
  it.each([
    ["{% raw %}\n{{ x }}\n{% endraw %}", "{{ x }}"],
    ["{% raw %}{{ x }}{% endraw %} and {{ y }}", "{{ x }} and {{ y }}"],
    ['{% hint style="info" %}\n*text*\n{% endhint %}', "text"],
    ['{% tabs %}\n{% tab title="Linux" %}\n- a\n{% endtab %}\n{% endtabs %}', "Linux:\n\n- a"],
    ['{{< tabs "id" >}}\n{{% tab "Linux" %}}\ntext\n{{% /tab %}}\n{{< /tabs >}}', "Linux: text"],
    ['{{% notice tip "Mind" %}}\ntext\n{{% /notice %}}', "Mind: text"],
    ['See [it]({{< ref "a.md" >}}), [that]({% link b.md %}).', "See it, that."],
    ["[a]({{ site.baseurl }}/b) [c]({{ '/d' | relative_url }})", "a c"],
    ['{% include note.html\n  content="Mind this." %}', "Mind this."],
    ["{% highlight js %}\nlet *a*;\n{% endhighlight %}\nafter", "let *a*;\n\nafter"],
    ["{% comment %}\nhidden\n{% endcomment %}\na {# hidden #} b", "a b"],
    ["`{% raw %}` and ``{{< ref >}}``", "{% raw %} and {{< ref >}}"],
    ['{{</* ref "a" */>}}', '{{< ref "a" >}}'],
    ["[a](b){: .btn } **c**{.d} `e`{.js} {f}", "a c e {f}"],
    ["text\n{: .note #id }", "text"],
    ["**Hugo {{% param v %}}** and {% data variables.x %}.", "Hugo … and …."],
    [":octicons-star-16:{ .lg } Star :material-check: :tada:", "Star :tada:"],
    ["<div>a</div>\n:::\n\nb", "a\n\nb"],
    ['{% code title="a.js" %}\n```js\n*a*\n```\n{% endcode %}', "a.js:\n\n*a*"],
    ["{{< code-toggle file=a >}}\n*b* = 1\n{{< /code-toggle >}}", "*b* = 1"],
    [
      '<details markdown="block">\n  <summary>\n    *Contents*\n  </summary>\n  {: .c }\n- TOC\n{:toc}\n</details>\nafter',
      "Contents\n\nafter",
    ],
    ['<div markdown="1">\n*a*\n</div>\n```\nb\n```', "a\n\nb"],
    ["See {doc}`Install <install>`.", "See Install."],
  ])("is taken off: %j", (text, seen) => {
    expect(shown(text)).toBe(seen);
  });

  it.each([
    "[[toc]]",
    "[TOC]",
    "[[_TOC_]]",
    "@[toc]",
    "* TOC\n{:toc}",
    "<!-- more -->",
    "<!-- truncate -->",
    "{/* truncate */}",
    '--8<-- "a.md"',
    "<<< @/a.ts",
    "{% toc %}",
    "> [!INCLUDE [a](b.md)]",
    "import A from '../a'",
    'import {\n  A,\n} from "a";\nimport "./b.css"\n\nexport const c = {\n  d: 1,\n};',
  ])("shows nothing where it is only for the generator: %j", (line) => {
    expect(shown(`${line}\n\ntext`)).toBe("text");
  });
});

describe("a component", () => {
  it.each([
    [
      '<Tabs>\n  <TabItem value="n" label="npm">\n    *text*\n\n    ```sh\n    npm i\n    ```\n  </TabItem>\n</Tabs>\n\nafter',
      "npm: text\n\nnpm i\n\nafter",
    ],
    ["<Tabs>\n    <TabItem>\n\n*text*\n\n    </TabItem>\n</Tabs>", "text"],
    ['<Card\n  title="One"\n  icon={<Icon name="x" />}\n>\n  *text*\n</Card>', "One: text"],
    ['<LinkCard title="One" description="Two." href="/x" />', "One\n\nTwo."],
    ["<>\n*text*\n</>", "text"],
    ["<Frame>![A *map*](b.png)</Frame>", "A map"],
    ["<Aside>\n*a*\n</Aside>\n\n<div className='x'>\n  *b* [c](d)\n</div>", "a\n\nb c"],
    ["<Grid labels={{ /* l'un */ a: 'b' }} />\n\ntext", "text"],
    ['<Image alt="R&#x26;D" />', "R&D"],
    ['a <Tip title={"b"}>c</Tip> d{" "}e {/* f */}', "a b c d e"],
    ['<A name="x">text</A>', "text"],
    ["`<Tabs>` shows <Badge text='new'/> tabs", "<Tabs> shows new tabs"],
    ["import your files.\n\nexport them.", "import your files.\n\nexport them."],
  ])("is read as what it shows: %j", (text, seen) => {
    expect(shown(text)).toBe(seen);
  });
});

it("takes nothing off inside code", () => {
  const code =
    ':::tip\n> [!NOTE]\n!!! note\n    a\n=== "b"\n{% raw %}\n{{< c >}}\n<Tabs>\nimport D from "e"\n[[toc]]\n<br>&amp;';
  expect(shown(`\`\`\`\n${code}\n\`\`\``)).toBe(code);
  expect(shown(`text\n\n${code.replace(/^/gm, "    ")}`)).toBe(`text\n\n${code}`);
});

describe("a code fence", () => {
  it("that closes in its line opens nothing", () => {
    expect(passagesOf("```x``` is code.\n\n## A\n\ntext").at(-1)).toMatchObject({ heading: ["A"] });
  });

  it("that never closes ends before the next heading", () => {
    const found = passagesOf("# T\n\n```sh\nnpm i\n\n## A\n\none\n\n```js\nf()\n\n## B\n\ntwo");
    expect(found.map(({ heading, text }) => [heading.at(-1), text])).toEqual([
      ["T", "npm i"],
      ["A", "one\n\nf()"],
      ["B", "two"],
    ]);
  });

  it("that closes holds what looks like a heading", () => {
    expect(shown("```sh\na\n\n## b\n```\n\nc")).toBe("a\n\n## b\n\nc");
    expect(shown("````md\n```\na\n\n## b\n````")).toBe("```\na\n\n## b");
  });
});

describe("front matter", () => {
  it.each([
    ["---\ndraft: true\n---\ntext", true],
    ["---\npublished: false\n---\ntext", true],
    ['+++\ntitle = "A"\ndraft = true\n+++\ntext', true],
    ['{\n  "draft": true\n}\n\ntext', true],
    ["---\ndraft: false\n---\ntext", false],
    ["+++\n[a]\ndraft = true\n+++\ntext", false],
    ["draft: true", false],
  ])("says whether a text is a draft: %j", (text, isDraft) => {
    expect(markdown.read(text)).toMatchObject({ isDraft });
  });

  it("may be JSON", () => {
    expect(markdown.read('{\n  "title": "A"\n}\n\ntext')).toMatchObject({
      title: "A",
      text: "text",
    });
    expect(shown('{\n  "a": 1\n}')).toBe('{ "a": 1 }');
  });
});
