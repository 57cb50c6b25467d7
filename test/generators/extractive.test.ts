import { describe, expect, it } from "vitest";
import type { Passage } from "../../src/answer/retriever.ts";
import { ExtractiveGenerator } from "../../src/generators/extractive.ts";
import { markdown } from "../../src/intake/markdown.ts";
import { passages as cut } from "../../src/intake/passages.ts";

const passage = (text: string, score = 0.8, documentId = "d"): Passage => ({
  id: `${documentId}#1`,
  documentId,
  title: "T",
  heading: [],
  url: null,
  text,
  score,
});

interface Options {
  tokensPerSecond?: number;
  maxTokens?: number;
  signal?: AbortSignal;
}

async function generate(query: string, passages: Passage[], options: Options = {}) {
  const { tokensPerSecond = 0, maxTokens = 1024, signal = new AbortController().signal } = options;
  const tokens: string[] = [];
  const finish = await new ExtractiveGenerator({ tokensPerSecond }).generate(
    {
      ...{ query, search: { text: query, asked: query }, passages, maxTokens },
      ...{ history: [], messages: [], temperature: undefined },
    },
    (token) => tokens.push(token),
    signal,
  );
  return { tokens, text: tokens.join(""), finish };
}

const quota = "The weather was fine. Every user has a quota of twenty answers a day.\nBirds sang.";

describe("an answer", () => {
  it("quotes the sentence that matches and cites its passage", async () => {
    const other = passage("A row holds two megabytes.", 0.3, "e");
    const { text, finish } = await generate("How large is the quota of a user?", [
      other,
      passage(quota),
    ]);
    expect(text).toBe("Every user has a quota of twenty answers a day. [2]");
    expect(finish).toBe("stop");
  });

  it("quotes the sentence after the best, in the same paragraph", async () => {
    const tokens =
      "A bearer token is needed. To get one, run a command. It expires.\n\nBirds sang.";
    const { text } = await generate("How do I get a bearer token?", [passage(tokens)]);
    expect(text).toBe("A bearer token is needed. To get one, run a command. [1]");
  });

  it("joins neighbours, in the order of the passages", async () => {
    const first = passage("The quota is per day. The quota is twenty. Nothing else.", 0.8);
    const second = passage("A user without quota waits.", 0.8, "e");
    const { text } = await generate("What is the quota?", [first, second]);
    expect(text).toBe(
      "The quota is per day. The quota is twenty. [1]\n\nA user without quota waits. [2]",
    );
  });

  it("quotes code only if all is code", async () => {
    const json = 'data: {"type":"done","quota":3,"finish":"stop","sources":[{"n":1}]}';
    const shell = 'curl "$URL/quota" -H "Authorization: Bearer $TOKEN" -d "{}"';
    const { text } = await generate("What is the quota?", [
      passage(`The quota is twenty.\n${json}\n${shell}`),
    ]);
    expect(text).toBe("The quota is twenty. [1]");
    expect((await generate("What is the quota?", [passage(json)])).text).toContain("quota");
  });

  it("quotes a sentence of two passages once", async () => {
    const { text } = await generate("quota", [
      passage("The quota is twenty."),
      passage("The quota is twenty."),
    ]);
    expect(text).toBe("The quota is twenty. [1]");
  });

  it("never begins with a quoted mark for nothing found", async () => {
    const codes = passage("[0] is the default exit code.");
    const { text } = await generate("What is the default exit code?", [codes]);
    expect(text).toBe("(0) is the default exit code. [1]");
  });

  it("never takes a quoted mark for a citation", async () => {
    const { text } = await generate("quota", [
      passage("The quota is twenty.[1] Quota a[0] and b[7]."),
    ]);
    expect(text.match(/\[\d+\]/g)).toEqual(["[0]", "[7]", "[1]"]);
  });

  it("says that nothing was found, in the language of the question", async () => {
    // The mark comes first.
    const nothing = "[0]I found nothing about that in the indexed documents.";
    expect((await generate("What is a zebra?", [])).text).toBe(nothing);
    expect((await generate("What is a zebra?", [passage(quota, 0.2)])).text).toBe(nothing);
    expect((await generate("Was ist ein Zebra?", [])).text).toMatch(/nichts gefunden/);
    expect((await generate("¿Qué es una cebra?", [])).text).toMatch(/encontrado nada/);
    expect((await generate("Что такое зебра?", [])).text).toMatch(/ничего не найдено/);
    expect((await generate("얼룩말은 무엇인가요?", [])).text).toMatch(/찾지 못했습니다/);
    expect((await generate("斑马是什么？", [])).text).toMatch(/没有找到/);
    expect((await generate("シマウマとは何ですか", [])).text).toMatch(/見つかりません/);
  });

  it("asks less coverage of Chinese, which has more terms", async () => {
    const chinese = passage("天气很好。每天的配额是二十次。", 0.55);
    expect((await generate("每天的配额是多少？", [chinese])).text).toBe("每天的配额是二十次。[1]");
    const english = passage("Fine weather. The quota of a day is twenty.", 0.55);
    expect((await generate("daily quota", [english])).text).toMatch(/nothing/);
  });
});

/** The passages of a Markdown document, as the index gives them. */
function documentOf(text: string, score = 0.8, documentId = "d"): Passage[] {
  return cut(markdown.read(text).sections).map(({ heading, text, blocks }, i) => ({
    ...passage(text, score, documentId),
    ...{ id: `${documentId}#${i + 1}`, heading, blocks },
  }));
}

const answerOf = async (query: string, text: string) =>
  (await generate(query, documentOf(text))).text;

describe("a quote from a Markdown document", () => {
  it("takes the list along that it introduces", async () => {
    const text =
      "The hut is old. For the climb you need three things:\n\n- boots\n- a rope\n- water";
    expect(await answerOf("What do I need for the climb?", text)).toBe(
      "For the climb you need three things:\n\n- boots\n- a rope\n- water [1]",
    );
  });

  it("takes code along with its fence and its language, and cites it below", async () => {
    const text = "To start the server, run:\n\n```sh\nnpm start -- a[1]\n```\n\nBirds sang.";
    expect(await answerOf("How do I start the server?", text)).toBe(
      "To start the server, run:\n\n```sh\nnpm start -- a[1]\n```\n\n[1]",
    );
  });

  it("shows a row below the head row of its table", async () => {
    const rows = Array.from({ length: 30 }, (_, i) => `| Town ${i} | lies on river ${i} |`);
    const text = `| Plan | Price |\n|---|---|\n${rows.join("\n")}\n| Pro | $9 a month |`;
    const answer = await answerOf("How much does Pro cost a month?", text);
    expect(answer).toMatch(
      /^\| Plan \| Price \|\n\| --- \| --- \|\n[\s\S]*\| Pro \| \$9 a month \|\n\n\[1\]$/,
    );
  });

  it("takes prices and placeholders for prose", async () => {
    const prices = "Basic costs $5, Pro costs $9 and Team costs $19.";
    expect(await answerOf("How much does Pro cost?", prices)).toBe(`${prices} [1]`);
    const placeholder = "Put \\<name> before `<value>` in a rule.";
    expect(await answerOf("Where do I put a name in a rule?", placeholder)).toBe(
      "Put <name> before <value> in a rule. [1]",
    );
  });

  it("leads with what is first under a heading that asks the question", async () => {
    const text =
      "# FAQ\n\n## Do you ship to Canada?\n\nYes, within five days.\n\n## Do you ship to Norway?\n\nWe ship only lamps to Norway.";
    expect(await answerOf("Do you ship to Canada?", text)).toBe("Yes, within five days. [1]");
    expect(await answerOf("Hi, do you ship to Norway? Thanks!", text)).toBe(
      "We ship only lamps to Norway. [2]",
    );
  });

  it("shows the heading where the quote does not say what it is about", async () => {
    const text = "# Options\n\n## maxSize\n\nThe default is 100 kilobytes.";
    expect(await answerOf("What is the default of maxSize?", text)).toBe(
      "**maxSize**\n\nThe default is 100 kilobytes. [1]",
    );
  });

  it("is never a number alone, or a text that introduces nothing", async () => {
    const text = "1. Open the lid.\n2. Fill the tank of the lamp.\n\nThe tank of the lamp:";
    const answer = await answerOf("How do I fill the tank of the lamp?", text);
    expect(answer).toMatch(/2\. Fill the tank of the lamp\./);
    expect(answer).not.toMatch(/lamp:/);
  });

  it("is a short list with what introduces it, if an item of it answers", async () => {
    const text =
      "Each request is logged with:\n\n- the method\n- the address of the client\n- the time";
    expect(await answerOf("Is the address of the client in the log?", text)).toBe(
      "Each request is logged with:\n\n- the method\n- the address of the client\n- the time [1]",
    );
  });

  it("comes with the code of its section, if the question asks how", async () => {
    const text =
      "# Server\n\n## Start\n\nThe server starts on any port. It is quick.\n\nIt logs to a file.\n\n```sh\nserve --port 80\n```";
    const code = "```sh\nserve --port 80\n```";
    expect(await answerOf("How do I start the server?", text)).toContain(code);
    expect(await answerOf("Why does the server start?", text)).not.toContain(code);
  });

  it("comes with the number that is nearest, if the question asks for one", async () => {
    const text =
      "The server listens on a port for all.\n\n```sh\nserve\n```\n\nIt is 3000 at first.";
    expect(await answerOf("On which port does the server listen?", text)).toMatch(/It is 3000/);
    expect(await answerOf("Where does the server listen?", text)).not.toMatch(/3000/);
  });

  it("is only from the section whose heading is the question", async () => {
    const text =
      "# FAQ\n\n## How do I load documents?\n\nRun the command.\n\n## What is replaced when I load documents?\n\nTo load documents replaces the old documents.";
    expect(await answerOf("How do I load documents?", text)).toBe("Run the command. [1]");
  });

  it("names the option that the text leaves out", async () => {
    const text =
      "# Token\n\nA token is checked on every request.\n\n## allow_anonymous\n\nRequests without a token are let through if this is true.";
    expect(await answerOf("How are requests without a token let through?", text)).toMatch(
      /^\*\*allow\\_anonymous\*\*\n\nRequests without a token are let through if this is true\. \[2\]/,
    );
  });

  it("finds the word that was misspelt", async () => {
    const text =
      "The encoding is chosen by the client. Compression is either gzip or deflate. It is fast.";
    expect(await answerOf("wich compresion is there", text)).toMatch(
      /^Compression is either gzip or deflate\./,
    );
  });

  it.each([
    ["How do I install and run it?", "To install and run it, type npm start. [1]"],
    ["How do I uninstall it?", "To uninstall it and all that was installed, run rm -rf data. [2]"],
  ])("destroys nothing unless that is asked: %s", async (query, expected) => {
    const text =
      "# Guide\n\n## Installing\n\nTo install and run it, type npm start.\n\n## Uninstalling\n\nTo uninstall it and all that was installed, run rm -rf data.";
    expect(await answerOf(query, text)).toBe(expected);
  });

  it("names what a list is about that has no text before it", async () => {
    const text = "# Shop\n\n## What cannot be returned\n\n- opened tea\n- gift cards";
    expect(await answerOf("Tell me about gift cards", text)).toBe(
      "**What cannot be returned**\n\n- opened tea\n- gift cards [1]",
    );
  });

  it("does not lead with a heading of the opposite meaning", async () => {
    const text =
      "# Shop\n\n## What cannot be returned?\n\nOpened tea.\n\n## How to return a kettle\n\nSend the kettle back to us.";
    expect(await answerOf("How do I return a kettle?", text)).toMatch(
      /^Send the kettle back to us/,
    );
    expect(await answerOf("What can not be returned?", text)).toMatch(/^Opened tea/);
  });

  it("ends further quotes at a length", async () => {
    const long = "The lamp is bright. ".repeat(60).trim();
    const passages = Array.from({ length: 4 }, (_, i) =>
      passage(`Lamp ${i} is ${long.replaceAll(". ", ", ")}`, 0.9, `d${i}`),
    );
    const { text } = await generate("Is the lamp bright?", passages);
    expect(text.length).toBeLessThan(2_500);
    expect(text).toMatch(/\[1\]$/m);
  });

  it("leaves out the code that destroys, with the text that introduces it", async () => {
    const text =
      "# Guide\n\nYou install it with one command.\n\nIf you want to install it again, run:\n\n```sh\nrm -rf data\n```";
    const answer = await answerOf("How do I install it with a command?", text);
    expect(answer).toBe("You install it with one command. [1]");
    expect(await answerOf("How do I reset it and install it again?", text)).toMatch(/rm -rf data/);
  });

  it("is not from a passage that covers far less of the question", async () => {
    const right = documentOf("Delete a document on its page.", 0.9);
    const wrong = documentOf("To delete the whole deployment, run this command.", 0.5, "e");
    const { text } = await generate("How do I delete a document?", [...right, ...wrong]);
    expect(text).toBe("Delete a document on its page. [1]");
  });
});

describe("the tokens of an answer", () => {
  it("are words with the space after them", async () => {
    const { tokens } = await generate("quota", [passage("The quota is twenty.")]);
    expect(tokens).toEqual(["The ", "quota ", "is ", "twenty. ", "[1]"]);
  });

  it("are one or two characters in scripts without spaces, and whole citations", async () => {
    const { tokens } = await generate("配额", [passage("每天的配额是二十次。")]);
    expect(tokens).toEqual(["每天", "的配", "额是", "二十", "次。", "[1]"]);
  });

  it("are cut at maxTokens", async () => {
    const cut = await generate("quota", [passage("The quota is twenty.")], { maxTokens: 2 });
    expect(cut).toMatchObject({ text: "The quota ", finish: "length" });
    const whole = await generate("quota", [passage("The quota is twenty.")], { maxTokens: 5 });
    expect(whole.finish).toBe("stop");
  });

  it("come at the given pace", async () => {
    const startedAt = Date.now();
    await generate("quota", [passage("The quota is twenty.")], { tokensPerSecond: 50 });
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(75);
  });

  it("stop as soon as the signal aborts, with its reason", async () => {
    const left = new AbortController();
    const startedAt = Date.now();
    const answer = generate("quota", [passage("The quota is twenty.")], {
      tokensPerSecond: 0.01,
      signal: left.signal,
    });
    setTimeout(() => left.abort(new Error("no listener")), 20);
    await expect(answer).rejects.toThrow("no listener");
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    await expect(
      generate("quota", [], { signal: AbortSignal.abort(new Error("gone")) }),
    ).rejects.toThrow("gone");
  });
});
