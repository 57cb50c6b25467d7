// The text of a file, whatever its encoding. Pure.

import { analyse } from "chardet";

/** As the HTML standard says. */
const META_BYTES = 4_096;
/** As many of the bytes are looked at where none is named. */
const SAMPLE_BYTES = 64 * 1024;
/** Of 100. Short text could be anything, and is likely Western. */
const CONFIDENCE_MIN = 22;
/** Of the characters. Text with more of them is in another encoding. */
const BROKEN_SHARE_MAX = 0.002;
const META = /<meta[^>]{1,200}?charset\s*=\s*["']?\s*([\w:-]{1,40})/i;
const XML = /^\s*<\?xml[^>]{1,200}?encoding\s*=\s*["']([\w:-]{1,40})/i;

/**
 * The text of a page. Wrong and missing names of encodings are usual, so the
 * bytes decide.
 * @param charset That of the `Content-Type` header.
 */
export function pageText(bytes: Uint8Array, charset: string | undefined): string {
  const wide = markOf(bytes) ?? wideOf(bytes);
  const head = latin1(bytes, META_BYTES);
  const meta = META.exec(head)?.[1] ?? XML.exec(head)?.[1];
  // What is read as ASCII to its name is not UTF-16.
  const inside = meta !== undefined && /^utf-?16/i.test(meta) ? undefined : meta;
  const named = [wide, charset, inside].filter((label) => label !== undefined);
  // What is UTF-8 beyond ASCII is hardly anything else.
  const isWide = wide !== undefined || bytes.every((byte) => byte < 0x80);
  for (const label of isWide ? [...named, "utf-8"] : ["utf-8", ...named]) {
    const text = decoded(bytes, label, true);
    if (text !== undefined) return text;
  }
  // Text with a few broken bytes is still what it says it is.
  for (const label of [...named, "utf-8"]) {
    const text = decoded(bytes, label, false);
    if (text !== undefined && brokenShare(text) <= BROKEN_SHARE_MAX) return text;
  }
  const [found] = analyse(bytes.subarray(0, SAMPLE_BYTES));
  const isSure = found !== undefined && found.confidence >= CONFIDENCE_MIN;
  return (
    (isSure ? decoded(bytes, found.name, false) : undefined) ??
    decoded(bytes, "windows-1252", false) ??
    ""
  );
}

/** Undefined if it is not text in its encoding, which is UTF-8 by default. */
export function plainText(bytes: Uint8Array, charset: string | undefined): string | undefined {
  for (const label of [markOf(bytes), charset]) {
    const text = label === undefined ? undefined : decoded(bytes, label, true);
    if (text !== undefined) return text;
  }
  return bytes.includes(0) ? undefined : decoded(bytes, "utf-8", true);
}

/** UTF-16 by its byte order mark. */
function markOf(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : undefined;
}

/** UTF-16 without a mark: every second byte of its tags is zero. */
function wideOf(bytes: Uint8Array): string | undefined {
  const zeros = [0, 0];
  const length = Math.min(bytes.length, 512);
  for (let i = 0; i < length; i += 1) {
    if (bytes[i] === 0) zeros[i % 2] = (zeros[i % 2] ?? 0) + 1;
  }
  const [even = 0, odd = 0] = zeros;
  if (odd > length / 5 && even === 0) return "utf-16le";
  return even > length / 5 && odd === 0 ? "utf-16be" : undefined;
}

function brokenShare(text: string): number {
  return (text.match(/\ufffd/g)?.length ?? 0) / Math.max(1, text.length);
}

function latin1(bytes: Uint8Array, length: number): string {
  const { buffer, byteOffset, byteLength } = bytes;
  return Buffer.from(buffer, byteOffset, Math.min(length, byteLength)).toString("latin1");
}

function decoded(bytes: Uint8Array, label: string, fatal: boolean): string | undefined {
  try {
    return new TextDecoder(label, { fatal }).decode(bytes);
  } catch {
    // The label is unknown, or the bytes are of another encoding.
    return undefined;
  }
}
