// The title and the text of a Markdown file.

import { markdown } from "../../src/intake/markdown.ts";

export const headOf = (whole: string) => markdown.read(whole);
