// The reader of DOCX: Word's headings, lists, tables and notes as Markdown.

import { strToU8, unzipSync, zipSync } from "fflate";
import { parseHTML } from "linkedom";
import mammoth from "mammoth";
import { toMarkdown } from "./html-markdown.ts";
import type { Read } from "./read.ts";

const UNPACKED_BYTES_MAX = 64 * 1024 * 1024;
const ENTRIES_MAX = 2_000;
/** Pictures and objects are not read. */
const PARTS = /^(?:\[Content_Types\]\.xml|_rels\/[^/]+|word\/[^/]+\.xml|word\/_rels\/[^/]+)$/;
const STYLES = [
  // The table of contents.
  ...Array.from({ length: 9 }, (_, i) => `p.TOC${i + 1} => !`),
  "p[style-name='Title'] => h1:fresh",
  "p[style-name='Subtitle'] => p:fresh",
  "p[style-name='Code'] => pre:separator('\\n')",
  "p[style-name='Source Code'] => pre:separator('\\n')",
  "p[style-name='HTML Preformatted'] => pre:separator('\\n')",
  "p[style-name='Preformatted Text'] => pre:separator('\\n')",
  "p[style-name='Quote'] => blockquote > p:fresh",
  "p[style-name='Intense Quote'] => blockquote > p:fresh",
  "r[style-name='Source Text'] => code",
  "r[style-name='Verbatim Char'] => code",
  "r[style-name='Code'] => code",
  "r[style-name='HTML Code'] => code",
];

export async function readDocx(bytes: Uint8Array): Promise<Read> {
  const parts = unpacked(bytes);
  if (typeof parts === "string") return { reason: parts };
  if (parts["word/document.xml"] === undefined) return { reason: "it is damaged, or no DOCX." };
  for (const [name, part] of Object.entries(parts)) {
    // Entities could make a small part huge.
    if (/<!(?:DOCTYPE|ENTITY)/i.test(new TextDecoder().decode(part.subarray(0, 4_096)))) {
      return { reason: `its part ${name} declares entities.` };
    }
  }
  const buffer = Buffer.from(zipSync(parts, { level: 0 }));
  let html: string;
  try {
    const none = mammoth.images.imgElement(async () => ({ src: "" }));
    html = (await mammoth.convertToHtml({ buffer }, { styleMap: STYLES, convertImage: none }))
      .value;
  } catch {
    // The library throws many kinds of errors for damaged files.
    return { reason: "it is damaged, or no DOCX." };
  }
  const { document } = parseHTML(`<html><body>${html}</body></html>`);
  // Bookmarks are no addresses of a page.
  for (const mark of document.querySelectorAll("a[id]:not([href])")) {
    mark.replaceWith(...mark.childNodes);
  }
  raiseHeadings(document.body);
  return { text: toMarkdown(document.body, undefined), title: titleOf(parts["docProps/core.xml"]) };
}

/** The parts that are read, or why there are none. */
function unpacked(bytes: Uint8Array): Record<string, Uint8Array> | string {
  let size = 0;
  let entries = 0;
  let isEncrypted = false;
  try {
    // No part grows over the size that its entry declares.
    const parts = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        entries += 1;
        if (name === "EncryptedPackage") isEncrypted = true;
        if (!PARTS.test(name) && name !== "docProps/core.xml") return false;
        size += originalSize;
        return size <= UNPACKED_BYTES_MAX && entries <= ENTRIES_MAX;
      },
    });
    if (size > UNPACKED_BYTES_MAX || entries > ENTRIES_MAX) {
      return "it unpacks to more than 64 MiB.";
    }
    parts["[Content_Types].xml"] ??= strToU8("<Types/>");
    return parts;
  } catch {
    // It is no ZIP: old Word files and encrypted ones are another container.
    const isOld = bytes[0] === 0xd0 && bytes[1] === 0xcf;
    return isOld || isEncrypted
      ? "it is encrypted, or in the format of Word before 2007: save it as .docx."
      : "it is damaged, or no DOCX.";
  }
}

/** A document without a title often has its chapters at the first level. */
function raiseHeadings(body: Element): void {
  for (const list of body.querySelectorAll("ol, ul")) {
    if (list.querySelector("h1, h2, h3, h4, h5, h6") !== null && list.children.length === 1) {
      list.replaceWith(...list.querySelectorAll("h1, h2, h3, h4, h5, h6"));
    }
  }
}

function titleOf(core: Uint8Array | undefined): string | undefined {
  const xml = core === undefined ? "" : new TextDecoder().decode(core);
  const title = /<dc:title>([^<]{1,300})<\/dc:title>/.exec(xml)?.[1]?.trim();
  if (title === undefined || title === "") return undefined;
  return title.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
