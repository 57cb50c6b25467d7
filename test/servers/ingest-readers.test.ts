// The readers of `npm run ingest`: files of all kinds as the Markdown beside
// them in test/ingest, and hostile files, which cost bounded time and memory.

import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { deflateSync } from "node:zlib";
import { zipSync } from "fflate";
import { afterAll, describe, expect, test } from "vitest";
import { isPrivate } from "../../scripts/ingest/fetcher.ts";
import { KINDS } from "../../scripts/ingest/formats.ts";
import { type Kind, Reading } from "../../scripts/ingest/reading.ts";
import { placesOf } from "../../scripts/ingest/sitemap.ts";
import { markdown } from "../../src/intake/markdown.ts";
import { pdfOf, pdfStream } from "../support/pdf-file.ts";

const FOLDER = join(import.meta.dirname, "../ingest");
const sources = readdirSync(FOLDER).filter((name) => !name.endsWith(".md"));
const reading = new Reading();
afterAll(() => reading.end());

const url = "https://docs.example.com/guide/page";

test("at least 60 pages and files are compared", () => {
  expect(sources.length).toBeGreaterThanOrEqual(60);
});

test.each(sources)("%s becomes the Markdown beside it", async (name) => {
  const kind = KINDS.get(extname(name)) as Kind;
  const read = await reading.read(kind, readFileSync(join(FOLDER, name)), { url });
  const text = "text" in read ? read.text : `(${read.reason})`;
  expect(text).toBe(readFileSync(join(FOLDER, `${name}.md`), "utf8"));
  // Each page has this word in its navigation, banners, scripts and feet.
  expect(text).not.toContain("BOILERPLATE");
});

test("sources of a PDF link to its pages", async () => {
  const read = await reading.read("pdf", readFileSync(join(FOLDER, "manual.pdf")));
  const { sections } = markdown.read("text" in read ? read.text : "");
  expect(sections.map(({ heading, anchor }) => [heading.at(-1), anchor])).toEqual([
    ["User manual", "page=1"],
    ["Safety", "page=1"],
    ["Cleaning", "page=2"],
    ["Warranty", "page=3"],
  ]);
});

test("pages of a PDF that are scanned are named, and the others are read", async () => {
  const read = await reading.read("pdf", readFileSync(join(FOLDER, "mixed-scan.pdf")));
  expect(read).toMatchObject({
    text: expect.stringContaining("## Next meeting {#page=4}"),
    notes: ["2 of 4 pages have no text (scanned, or empty): 2-3."],
  });
});

test.each([
  ["shift_jis", [0x93, 0xfa, 0x96, 0x7b], "日本\n"],
  ["gbk", [0xd6, 0xd0, 0xce, 0xc4], "中文\n"],
  ["utf-8", [0xe6, 0x97, 0xa5], "日\n"],
  ["no-such-charset", [0x64, 0xfc, 0x72], "dür\n"],
  ["utf-8", [0x64, 0xfc, 0x72], "dür\n"],
])("the header's charset %s is used where the bytes are in it", async (charset, bytes, text) => {
  expect(await reading.read("html", Buffer.from(bytes), { charset })).toMatchObject({ text });
});

/** Lines across and down a page, all of which meet. */
function grid(i: number): string {
  const at = (i / 2_000) * 99;
  return i % 2 === 0 ? `0 ${at} m 99 ${at} l S` : `${at} 0 m ${at} 99 l S`;
}

describe("a hostile file", () => {
  const root = "<</Type/Catalog/Pages 2 0 R>>";
  /** Each form shows the next one ten times. */
  const growing = () =>
    pdfOf(
      root,
      "<</Type/Pages/Kids[3 0 R]/Count 1>>",
      "<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Resources<</XObject<</F 5 0 R>>>>/Contents 4 0 R>>",
      pdfStream("", "/F Do"),
      ...Array.from({ length: 30 }, (_, i) =>
        pdfStream(
          `/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F ${6 + i} 0 R>>/Font<</A 35 0 R>>>>`,
          `BT /A 9 Tf (laugh) Tj ET ${"/F Do ".repeat(10)}`,
        ),
      ),
      "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    );
  const document = (body: string) =>
    `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body}</w:body></w:document>`;
  const docx = (parts: Record<string, string | Uint8Array>) =>
    zipSync(
      Object.fromEntries(
        Object.entries(parts).map(([name, part]) => [
          name,
          typeof part === "string" ? Buffer.from(part) : part,
        ]),
      ),
    );
  const bomb = Buffer.alloc(80 * 1024 * 1024, "a");
  /** Declares a small size, and unpacks to a large one. */
  const lying = () => {
    const zip = Buffer.from(docx({ "word/document.xml": bomb }));
    for (const [mark, at] of [
      ["PK\x01\x02", 24],
      ["PK\x03\x04", 22],
    ] as const) {
      zip.writeUInt32LE(100, zip.indexOf(Buffer.from(mark, "latin1")) + at);
    }
    return zip;
  };

  test.each<[string, Kind, () => Uint8Array, RegExp]>([
    [
      "a ZIP bomb",
      "docx",
      () => docx({ "word/document.xml": bomb }),
      /unpacks to more than 64 MiB/,
    ],
    ["a ZIP bomb that lies about its size", "docx", lying, /damaged/],
    [
      "a DOCX with entities",
      "docx",
      () => docx({ "word/document.xml": `<!DOCTYPE x [<!ENTITY a "aaaa">]>${document("")}` }),
      /declares entities/,
    ],
    [
      "an archive in an archive",
      "docx",
      () => docx({ "inner.docx": docx({ "word/document.xml": bomb }) }),
      /no DOCX/,
    ],
    [
      "a Word file of before 2007",
      "docx",
      () => Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0, 0]),
      /before 2007/,
    ],
    [
      "a cut PDF",
      "pdf",
      () => readFileSync(join(FOLDER, "manual.pdf")).subarray(0, 900),
      /damaged|no text/,
    ],
    ["no PDF", "pdf", () => Buffer.from("%PDF-1.7\nno"), /damaged, or no PDF/],
    [
      "a PDF whose pages are a circle",
      "pdf",
      () => pdfOf(root, "<</Type/Pages/Kids[2 0 R]/Count 3>>"),
      /circular|damaged|no text/,
    ],
    [
      "a PDF with more pages than are read",
      "pdf",
      () => {
        const pages = Array.from({ length: 2_001 }, (_, i) => `${i + 3} 0 R`);
        const kids = `<</Type/Pages/Kids[${pages.join(" ")}]/Count 2001>>`;
        return pdfOf(root, kids, ...pages.map(() => "<</Type/Page/Parent 2 0 R>>"));
      },
      /2001 pages. The limit is 2000/,
    ],
    [
      "a DOCX with too many parts",
      "docx",
      () =>
        docx(Object.fromEntries(Array.from({ length: 2_001 }, (_, i) => [`word/${i}.xml`, "a"]))),
      /more than 64 MiB/,
    ],
    ["a program as text", "text", () => Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1]), /not text/],
  ])("%s is named", async (_, kind, bytes, reason) => {
    expect(await reading.read(kind, bytes())).toMatchObject({
      reason: expect.stringMatching(reason),
    });
  });

  test.each<[string, Kind, () => Uint8Array]>([
    ["of tags that never close", "html", () => Buffer.from("<div>".repeat(400_000))],
    ["of a PDF that never ends", "pdf", growing],
    ["of 50 MB", "html", () => Buffer.alloc(50_000_000, "<p>word ")],
  ])("%s takes too long and is given up, and the next one is read", async (_, kind, bytes) => {
    const bounds = { milliseconds: 1_500, bytes: 2 * 1024 ** 3 };
    const impatient = new Reading(bounds);
    const file = bytes();
    const began = Date.now();
    const deep = await impatient.read(kind, file);
    expect(deep).toEqual({ reason: "reading it takes longer than 1.5 s." });
    expect(Date.now() - began).toBeLessThan(8_000);
    // A busy machine takes as long only to start the next thread.
    bounds.milliseconds = 30_000;
    expect(await impatient.read("html", Buffer.from("<p>fine"))).toMatchObject({ text: "fine\n" });
    await impatient.end();
  });

  test.each([
    ["one path of 300,000 lines", `0 0 m ${"9 9 l 9 0 l 0 9 l ".repeat(100_000)}S`],
    [
      "100,000 paths",
      Array.from({ length: 100_000 }, (_, i) => `0 ${i % 99} m 90 0 l S`).join(" "),
    ],
    ["a grid of 1,999 lines", Array.from({ length: 1_999 }, (_, i) => grid(i)).join(" ")],
    ["no end of its states", "q ".repeat(2_000)],
    ["more ends of states than beginnings", "Q ".repeat(200_000)],
  ])("whose page draws %s is read all the same", async (_, drawing) => {
    const page =
      "<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Resources<</Font<</A 5 0 R>>>>/Contents 4 0 R>>";
    const file = pdfOf(
      root,
      "<</Type/Pages/Kids[3 0 R]/Count 1>>",
      page,
      pdfStream("", `BT /A 9 Tf 9 50 Td (text beside it) Tj ET ${drawing}`),
      "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    );
    expect(await reading.read("pdf", file)).toMatchObject({
      text: "###### {#page=1}\n\ntext beside it\n",
    });
  });

  test("that takes too much memory is given up, and the next one is read", async () => {
    const modest = new Reading({ milliseconds: 30_000, bytes: 150 * 1024 ** 2 });
    const content = deflateSync(Buffer.alloc(400 * 1024 * 1024, " "));
    const head = `%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>endobj\n4 0 obj<</Filter/FlateDecode/Length ${content.length}>>stream\n`;
    const pdf = Buffer.concat([
      Buffer.from(head),
      content,
      Buffer.from("\nendstream endobj\ntrailer<</Root 1 0 R>>\n"),
    ]);
    expect(await modest.read("pdf", pdf)).toEqual({ reason: "reading it takes too much memory." });
    expect(await modest.read("html", Buffer.from("<p>fine"))).toMatchObject({ text: "fine\n" });
    await modest.end();
  });

  test("has its entities left as they are, in pages and in sitemaps", async () => {
    const names = Array.from({ length: 12 }, (_, i) => i);
    const entities = names.map((i) => `<!ENTITY a${i} "${`&a${i - 1};`.repeat(10)}">`).join("");
    const page = `<?xml version="1.0"?><!DOCTYPE html [${entities}]><html><body><p>x &a11; y</p></body></html>`;
    expect(await reading.read("html", Buffer.from(page))).toMatchObject({ text: "x &a11; y\n" });
    const xml = `<!DOCTYPE x [<!ENTITY a "b">]><urlset><url><loc>https://a.example/&a;&amp;c</loc></url></urlset>`;
    expect(placesOf(xml, url)?.pages).toEqual([
      { url: "https://a.example/&a;&c", lastModified: undefined },
    ]);
  });
});

test.each([
  ["127.0.0.1", true],
  ["10.1.2.3", true],
  ["169.254.169.254", true],
  ["192.168.0.1", true],
  ["172.31.0.1", true],
  ["100.100.0.1", true],
  ["::1", true],
  ["::ffff:10.0.0.1", true],
  ["::ffff:a00:1", true],
  ["fd00::1", true],
  ["fe80::1", true],
  ["64:ff9b::a00:1", true],
  ["no address", true],
  ["1.1.1.1", false],
  ["172.32.0.1", false],
  ["2606:4700::1111", false],
])("the address %s is private: %s", (address, expected) => {
  expect(isPrivate(address)).toBe(expected);
});
