// How PDFs become Markdown: each of a few lines, drawn as programs draw them.

import { describe, expect, it } from "vitest";
import { readPdf } from "../../scripts/ingest/readers/pdf.ts";
import { box, fill, line, type Page, pdfFile, text } from "../support/pdf-file.ts";

async function markdown(...pages: readonly Page[]): Promise<string> {
  const read = await readPdf(pdfFile(...pages));
  return "text" in read ? read.text.replace(/^###### \{#page=1\}\n\n/, "") : `(${read.reason})`;
}

const TOOLS = [
  ["Item", "Serial", "Price"],
  ["Drill", "N-1", "48"],
  ["Saw", "N-2", "39"],
  ["Lamp", "N-3", "12"],
];
const TABLE = TOOLS.map((row) => `| ${row.join(" | ")} |`).toSpliced(1, 0, "| --- | --- | --- |");

/** Rows of 20 points, columns of 100, below and right of a corner. */
function words(x: number, y: number, rows: readonly (readonly string[])[] = TOOLS): string[] {
  return rows.flatMap((row, i) =>
    row.map((word, n) => text(x + 5 + n * 100, y - 14 - i * 20, word)),
  );
}

function across(x: number, y: number, from = 0, to = TOOLS.length): string[] {
  const at = Array.from({ length: to - from + 1 }, (_, i) => y - (from + i) * 20);
  return at.map((height) => line(x, height, x + 300, height));
}

function down(x: number, y: number, columns = [0, 1, 2, 3]): string[] {
  return columns.map((n) => line(x + n * 100, y, x + n * 100, y - TOOLS.length * 20));
}

const cells = (x: number, y: number) =>
  TOOLS.flatMap((row, i) => row.map((_, n) => box(x + n * 100, y - 20 - i * 20, 100, 20)));
const filled = (x: number, y: number) =>
  TOOLS.flatMap((row, i) => row.map((_, n) => fill(x + n * 100, y - 20 - i * 20, 100, 20)));
const dashes = (x: number, y: number) => [
  ...across(x, y).map((one) => `[3 2] 0 d ${one} [] 0 d`),
  ...down(x, y),
];
const rounded = (x: number, y: number) => [
  `${x + 5} ${y} m ${x + 295} ${y} l ${x + 300} ${y} ${x + 300} ${y} ${x + 300} ${y - 5} c ${x + 300} ${y - 75} l S`,
  ...across(x, y, 1, 3),
  ...down(x, y, [1, 2]),
];

describe("a table", () => {
  it.each<[string, (x: number, y: number) => string[]]>([
    ["lines", (x, y) => [...across(x, y), ...down(x, y)]],
    ["a box for each cell", cells],
    ["a filled box for each cell", filled],
    ["thin filled boxes", (x, y) => [...filled(x, y), ...across(x, y)]],
    ["no lines at its sides", (x, y) => [...across(x, y), ...down(x, y, [1, 2])]],
    ["no lines at its top and bottom", (x, y) => [...across(x, y, 1, 3), ...down(x, y)]],
    ["round corners", rounded],
    [
      "lines around head and body only",
      (x, y) => [...across(x, y, 0, 1), ...across(x, y, 4, 4), ...down(x, y)],
    ],
    [
      "a box, and lines below its rows",
      (x, y) => [box(x, y - 80, 300, 80), ...filled(x, y).slice(0, 3), ...across(x, y)],
    ],
    [
      "an end of a state too many before it",
      (x, y) => ["1 0 0 1 9 9 cm Q", ...cells(x - 9, y - 9)],
    ],
    ["dashes", dashes],
    ["no lines at all", () => []],
  ])("with %s is read", async (name, drawn) => {
    const moved = name.startsWith("an end") ? words(91, 691) : words(100, 700);
    const content = [text(100, 740, "Prices of our tools."), ...drawn(100, 700), ...moved];
    expect(await markdown({ content })).toBe(`Prices of our tools.\n\n${TABLE.join("\n")}\n`);
  });

  it.each([
    ["at its rows", [0, 1, 2, 3, 4]],
    ["around its head and at its end", [0, 1, 4]],
  ])("with rules %s only is read", async (_, rules) => {
    const drawn = rules.flatMap((n) => across(100, 700, n, n));
    expect(await markdown({ content: [...drawn, ...words(100, 700)] })).toBe(
      `${TABLE.join("\n")}\n`,
    );
  });

  it("with rules around its head and at its end may have cells of several lines", async () => {
    const content = [
      ...[700, 680, 620].map((y) => line(100, y, 400, y)),
      ...[text(105, 686, "Plan"), text(205, 686, "For whom")],
      ...[
        text(105, 666, "city"),
        text(205, 666, "one city with up to"),
        text(205, 654, "forty stations"),
      ],
      ...[text(105, 636, "trial"), text(205, 636, "all others")],
    ];
    expect(await markdown({ content })).toBe(
      "| Plan | For whom |\n| --- | --- |\n| city | one city with up to forty stations |\n| trial | all others |\n",
    );
  });

  const ruled = (...ys: number[]) => ys.map((y) => line(50, y, 500, y));

  it("of an invoice keeps each sum beside its item", async () => {
    const content = [
      ...ruled(700, 680, 640, 600),
      ...[text(55, 686, "Item"), text(300, 686, "Number"), text(430, 686, "Sum")],
      ...[text(55, 666, "Lock with two keys"), text(300, 666, "2"), text(430, 666, "120.00")],
      ...[text(55, 650, "Mounting"), text(300, 650, "1"), text(430, 650, "80.00")],
      ...[text(300, 626, "Total before tax"), text(430, 626, "200.00")],
      ...[text(300, 610, "Total"), text(430, 610, "238.00")],
    ];
    expect(await markdown({ content })).toContain(
      "| Item | Number | Sum |\n| --- | --- | --- |\n| Lock with two keys | 2 | 120.00 |\n| Mounting | 1 | 80.00 |\n",
    );
  });

  it("at one place of each page is kept, with its numbers", async () => {
    const months = ["1", "2", "3"].map((n) => ({
      content: [
        ...cells(50, 500),
        ...words(50, 500, [
          ["Month", "Rides"],
          [n, `${n}00`],
          ["x", "y"],
          ["z", "w"],
        ]),
      ],
    }));
    const read = await markdown(...months);
    for (const n of ["1", "2", "3"]) expect(read).toContain(`| ${n} | ${n}00 |`);
  });

  it("with dots to sign on is kept", async () => {
    const rows = [
      ["Name", "Signature"],
      ["Ada", "................"],
    ];
    const drawn = [700, 680, 660].map((y) => line(100, y, 300, y));
    const content = [
      ...drawn,
      ...[0, 1, 2].map((n) => line(100 + n * 100, 700, 100 + n * 100, 660)),
      ...words(100, 700, rows),
    ];
    expect(await markdown({ content })).toContain("| Ada | ");
  });

  it("without lines keeps a row that begins with a sign", async () => {
    const rows = [
      ["No", "Item", "Sum"],
      ["1.", "Drill", "48"],
      ["-", "Saw", "39"],
    ];
    const read = await markdown({ content: words(50, 700, rows) });
    for (const word of rows.flat()) expect(read).toContain(word);
  });

  it("whose cells are all of two lines has one row for them", async () => {
    const content = [
      ...[0, 40, 80, 120].map((n) => line(100, 700 - n, 400, 700 - n)),
      ...[0, 1, 2, 3].map((n) => line(100 + n * 100, 700, 100 + n * 100, 580)),
      ...["Order", "Unit", "Due"].map((one, n) => text(105 + n * 100, 686, one)),
      ...["number", "price", "date"].map((one, n) => text(105 + n * 100, 674, one)),
      ...["7", "12", "May"].map((one, n) => text(105 + n * 100, 646, one)),
      ...["8", "14", "June"].map((one, n) => text(105 + n * 100, 606, one)),
    ];
    expect(await markdown({ content })).toBe(
      "| Order number | Unit price | Due date |\n| --- | --- | --- |\n| 7 | 12 | May |\n| 8 | 14 | June |\n",
    );
  });

  it("repeats a cell in each of its rows", async () => {
    const content = [
      ...[0, 20, 80].map((n) => line(100, 700 - n, 300, 700 - n)),
      ...[40, 60].map((n) => line(200, 700 - n, 300, 700 - n)),
      ...[0, 1, 2].map((n) => line(100 + n * 100, 700, 100 + n * 100, 620)),
      ...words(100, 700, [
        ["Plan", "Part"],
        ["city", "Call"],
        ["", "Ride"],
        ["", "Lock"],
      ]),
    ];
    expect(await markdown({ content })).toBe(
      "| Plan | Part |\n| --- | --- |\n| city | Call |\n| city | Ride |\n| city | Lock |\n",
    );
  });

  it("is none where rules are around lists, or around columns of text", async () => {
    const list = [
      ...ruled(700, 670, 640),
      ...["1.", "2."].flatMap((sign, i) => [
        text(55, 680 - i * 30, sign),
        text(75, 680 - i * 30, "Open the lock"),
      ]),
    ];
    expect(await markdown({ content: list })).not.toContain("|");
    const column = (x: number) =>
      Array.from({ length: 8 }, (_, i) =>
        text(x, 660 - i * 12, `The lock number ${i} of a station is open at night`),
      );
    const content = [
      ...ruled(700, 680, 550),
      text(55, 686, "Station"),
      text(300, 686, "May"),
      ...column(55),
      ...column(290),
    ];
    expect(await markdown({ content })).not.toContain("| The lock");
  });

  it("is none where rules are between sections", async () => {
    const section = (y: number, head: string) => [
      line(50, y, 400, y),
      ...[text(50, y - 30, head, { size: 16 }), text(380, y - 30, "ts", { size: 8 })],
      ...[0, 1].map((i) => text(50, y - 50 - i * 12, `import one${i}`, { font: "code" })),
    ];
    const content = [...section(800, "Setup"), ...section(700, "Use"), line(50, 600, 400, 600)];
    expect(await markdown({ content })).not.toContain("|");
  });

  it("that begins at the edge of the page is kept", async () => {
    const content = [...cells(20, 835), ...words(20, 835)];
    expect(await markdown({ content })).toBe(`${TABLE.join("\n")}\n`);
  });

  it("goes on over the page below its head", async () => {
    const rest = [TOOLS[0] as string[], ["Plane", "N-4", "20"]];
    const content = [...cells(50, 300), ...words(50, 300)];
    const next = [...cells(50, 800).slice(0, 6), ...words(50, 800, rest)];
    expect(await markdown({ content }, { content: next })).toBe(
      `${[...TABLE, "| Plane | N-4 | 20 |"].join("\n")}\n`,
    );
  });

  it("beside another one, or under a caption that touches it, is apart", async () => {
    const content = [
      text(20, 703, "Table 1: prices of tools"),
      ...cells(20, 700),
      ...words(20, 700),
      ...cells(340, 700),
      ...words(340, 700),
    ];
    const table = TABLE.join("\n");
    expect(await markdown({ content, width: 700 })).toBe(
      `Table 1: prices of tools\n\n${table}\n\n${table}\n`,
    );
  });

  it("below lines of keys and values is a table of its own", async () => {
    const content = [
      ...["Invoice", "Date"].flatMap((key, i) => [
        text(50, 740 - i * 14, key),
        text(150, 740 - i * 14, `${i}-7`),
      ]),
      ...cells(50, 715),
      ...words(50, 715),
    ];
    expect(await markdown({ content })).toBe(
      `| Invoice | 0-7 |\n| --- | --- |\n| Date | 1-7 |\n\n${TABLE.join("\n")}\n`,
    );
  });

  it("on a page that is turned is read", async () => {
    const turned = [...cells(50, 500), ...words(50, 500)].join("\n");
    // As programs write landscape pages: turned text on a page that is turned back.
    const content = [`q 0 1 -1 0 595 0 cm`, turned, "Q"];
    expect(await markdown({ content, rotate: 90 })).toBe(`${TABLE.join("\n")}\n`);
  });

  it("says what a cell of several rows says in each, and cuts text at its lines", async () => {
    const content = [
      ...[0, 20, 40, 60].map((n) => line(n === 40 ? 150 : 50, 700 - n, 250, 700 - n)),
      ...[50, 150, 250].map((x) => line(x, 700, x, 640)),
      ...[text(55, 686, "Plan"), text(155, 686, "Calls"), text(55, 656, "city")],
      ...[text(120, 666, ""), text(155, 666, "600 a day"), text(155, 646, "20 a minute")],
    ];
    expect(await markdown({ content })).toBe(
      "| Plan | Calls |\n| --- | --- |\n| city | 600 a day |\n| city | 20 a minute |\n",
    );
  });

  it("is none where boxes make up the page", async () => {
    const body = (x: number, y: number, head: string) => [
      text(x, y, head, { size: 14 }),
      ...[0, 1, 2, 3].map((i) =>
        text(x, y - 20 - i * 13, `${head} has line ${i} of a longer text`),
      ),
    ];
    const content = [
      fill(0, 700, 595, 142),
      fill(0, 0, 180, 700),
      box(0, 0, 595, 842),
      text(20, 760, "Ada Berg", { size: 24 }),
      ...body(10, 640, "Skills"),
      ...body(200, 500, "Work"),
    ];
    const read = await markdown({ content });
    expect(read).toContain("# Ada Berg");
    expect(read).toContain("## Work");
    expect(read).not.toContain("|");
  });
});

describe("text", () => {
  const wide = (y: number, lines: readonly string[]) =>
    lines.map((one, i) => text(50, y - i * 18, one));

  it("that is set wide apart is one paragraph", async () => {
    const lines = [
      "The lock opens within eight seconds after the call, or the call fails and",
      "costs nothing, whatever the lock does afterwards. A rider who waits longer",
      "than that asks again, and the second call opens the lock that is nearest to",
      "the first one.",
    ];
    expect(await markdown({ content: wide(700, lines) })).toBe(`${lines.join(" ")}\n`);
  });

  it("in bold on a line of its own is a heading", async () => {
    const content = [
      text(50, 700, "Riders are adults. A younger rider rides together with one of their parents."),
      text(50, 670, "Broken locks", { font: "bold" }),
      text(50, 652, "A lock that has failed three times is taken out of service."),
      text(50, 634, "Note", { font: "bold" }),
    ];
    const read = await markdown({ content });
    expect(read).toContain("# Broken locks {#page=1}\n\nA lock that");
    expect(read).toMatch(/\n\nNote\n$/);
  });

  it("in bold within a paragraph is no heading", async () => {
    const content = [
      text(50, 700, "Riders are adults. A younger rider rides together with one of their parents,"),
      text(50, 688, "who has a card of their own for the whole of the ride, and", { font: "bold" }),
      text(50, 676, "who pays for both of them at its end."),
    ];
    expect(await markdown({ content })).not.toContain("#");
  });

  it("goes on over the page as one list", async () => {
    const items = (from: number) => [0, 1].map((i) => text(50, 700 - i * 14, `${from + i}. Step`));
    expect(await markdown({ content: items(1) }, { content: items(3) })).toBe(
      "1. Step\n2. Step\n3. Step\n4. Step\n",
    );
  });

  it("that dots lead to page numbers is no content, and other dots part cells", async () => {
    const contents = [
      text(50, 700, "Setup . . . . . . . . . . . . . . . . . 3"),
      text(50, 680, "Prices.............................. 12"),
      text(50, 660, "Locks .............................. 12"),
      text(50, 640, "And so on..."),
    ];
    expect(await markdown({ content: contents })).toBe("And so on...\n");
    const prices = [
      "Opening ......... 30",
      "Closing ......... 20",
      "Name: ..........",
      "Key ......... 1",
    ];
    const content = prices.map((one, i) => text(50, 700 - i * 20, one));
    expect(await markdown({ content })).toBe(
      "| Opening | 30 |\n| --- | --- |\n| Closing | 20 |\n\nName:\n\nKey 1\n",
    );
  });

  it.each([
    ["2024", 24],
    ["42", 10],
  ])("that is the number %s in the middle of a page is kept", async (number, size) => {
    const content = [
      text(50, 700, "The annual report of the bicycle rental, for its partners."),
      text(50, 500, number, { size }),
    ];
    const next = [text(50, 700, "It has forty pages, of which this is the second one.")];
    expect(await markdown({ content }, { content: next })).toContain(number);
  });

  it("in bold that is an item, a sum or an address is no heading", async () => {
    const bold = ["Total 120 EUR", "Phone 555-123456", "- Third", "The lock opens at once."];
    const content = bold.flatMap((one, i) => [
      text(50, 700 - i * 60, one, { font: "bold" }),
      text(50, 685 - i * 60, "A line of usual text that follows what is in bold."),
    ]);
    expect(await markdown({ content })).not.toContain("#");
  });

  it("in a font whose few texts happen to be as wide is no code", async () => {
    const content = ["When you are charged", "Parameters"].flatMap((one, i) => [
      text(50, 700 - i * 60, one, { font: "bold" }),
      text(50, 685 - i * 60, "A line of usual text that follows what is in bold."),
    ]);
    expect(await markdown({ content })).not.toContain("```");
  });

  it("with a hyphen at a line's end keeps it in names, paths and years", async () => {
    const wrapped = (end: string, next: string) =>
      markdown({
        content: [text(50, 700, `${"A long line of text. ".repeat(4)}${end}`), text(50, 688, next)],
      });
    for (const [end, next, whole] of [
      ["Use the mod-", "ule of locks.", "Use the module of locks."],
      ["Use hono/service-", "worker instead.", "Use hono/service-worker instead."],
      ["Read the Smith-", "Jones report.", "Read the Smith-Jones report."],
      ["The years 2019-", "2020 were dry.", "The years 2019-2020 were dry."],
    ] as const) {
      expect(await wrapped(end, next)).toContain(whole);
    }
  });

  it("that ends with the name of a language above code is kept", async () => {
    const content = [
      text(50, 700, "A reader who has come as far as this types the next line into a new"),
      text(50, 688, "shell"),
      text(50, 660, "npm start", { font: "code" }),
    ];
    expect(await markdown({ content })).toContain("into a new shell\n\n```\nnpm start");
  });

  it("that is a word which objects of JavaScript have is no alert", async () => {
    const content = [
      text(50, 700, "A long line of text at the left edge of the page, which says where it is."),
      text(80, 670, "constructor"),
      text(80, 640, "It makes the lock."),
    ];
    expect(await markdown({ content })).toContain("- constructor\n- It makes the lock.");
  });
});
