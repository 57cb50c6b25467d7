// Reads one file after another in a thread of its own: see reading.ts.

import { parentPort } from "node:worker_threads";
import { pageText, plainText } from "./encoding.ts";
import type { Read } from "./readers/read.ts";
import type { Job } from "./reading.ts";

parentPort?.on("message", async (job: Job) => {
  let read: Read;
  try {
    read = await readOf(job);
  } catch (error) {
    // A file may end the stack, or hit a bug of a library.
    const reason =
      error instanceof RangeError
        ? "its parts are nested too deeply."
        : `its reader fails: ${(error as Error).message.slice(0, 200)}`;
    read = { reason };
  }
  parentPort?.postMessage(read);
});

/** Each library is loaded by the first file that needs it. */
async function readOf({ kind, bytes, options }: Job): Promise<Read> {
  switch (kind) {
    case "html": {
      const { readHtml } = await import("./readers/html.ts");
      return readHtml(pageText(bytes, options.charset), options);
    }
    case "pdf":
      return (await import("./readers/pdf.ts")).readPdf(bytes);
    case "docx":
      return (await import("./readers/docx.ts")).readDocx(bytes);
    case "mdx": {
      const { readMdx } = await import("./readers/mdx.ts");
      const text = plainText(bytes, options.charset);
      return text === undefined ? { reason: NO_TEXT } : readMdx(text);
    }
    case "text": {
      const text = plainText(bytes, options.charset);
      return text === undefined ? { reason: NO_TEXT } : { text, title: undefined };
    }
  }
}

const NO_TEXT = "it is not text in UTF-8.";
