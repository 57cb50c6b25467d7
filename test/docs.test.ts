/// <reference types="vite/client" />
// The documents tell the truth about the source: what a caller or an operator can meet is documented,
// and what is documented exists.

import { expect, it } from "vitest";
import decisionsText from "../docs/decisions.md?raw";
import operatingText from "../docs/operating.md?raw";
import protocolText from "../docs/protocol.md?raw";
import testingText from "../docs/testing.md?raw";
import manifest from "../package.json?raw";
import readmeText from "../README.md?raw";
import { BINDINGS, VARIABLES } from "../src/config.ts";
import configuration from "../wrangler.toml?raw";

const decisions = unpadded(decisionsText);
const operating = unpadded(operatingText);
const protocol = unpadded(protocolText);
const readme = unpadded(readmeText);
const testing = unpadded(testingText);
const source = import.meta.glob<string>("../src/**/*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});
/** Never loaded: only their names are wanted. */
const everyFile = import.meta.glob([
  "../*",
  "../.ci/*",
  "../{conformance,docs,eval,scripts,src,test}/**/*",
]);

const tests = import.meta.glob<string>("./*.test.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});

it("names a test that proves each row of the promise", () => {
  const promise = readme.slice(readme.indexOf("## When you are charged"));
  const [, , ...promised] = matches(promise.split("\n### ")[0], /^\| (.+?) \|/gm);
  const proofs = matches(testing, /^\| (.+?) \| (.+) \| `test\/(.+)` \|$/gm);
  expect(proofs.map(([row]) => [row])).toEqual(promised);
  expect(proofs.filter(([, name, file]) => !tests[`./${file}`]?.includes(`"${name}"`))).toEqual([]);
});

it("documents every error code under its status", () => {
  const codes = matches(source["../src/errors.ts"], /^ {2}([A-Z_]+): (\d{3}),$/gm);
  expect(missing(codes, ([code, status]) => `| ${status} | \`${code}\` |`, protocol)).toEqual([]);
});

it("shows every event", () => {
  const types = matches(source["../src/protocol.ts"], /^ {2}readonly type: "(\w+)";$/gm);
  expect(missing(types, ([type]) => `data: {"type":"${type}"`, protocol)).toEqual([]);
});

it("documents every route", () => {
  const routes = matches(
    source["../src/edge/edge.ts"],
    /^router\.(\w+)\(["`](?:\$\{API_PREFIX\})?([^"`]+)["`]/gm,
  );
  const heading = ([method, path]: string[]) => `\n### \`${method?.toUpperCase()} ${path}\`\n`;
  expect(missing(routes, heading, protocol)).toEqual([]);
});

it("documents every variable, and knows no other", () => {
  const read = matches(source["../src/config.ts"], /\(\s*env,\s*"(\w+)"/g);
  expect(missing(read, ([name]) => `\n| \`${name}\` |`, readme)).toEqual([]);
  const table = readme.slice(readme.indexOf("\n| variable |"));
  const [, , ...documented] = matches(table.split("\n\n")[0], /^\| (\S+) \|/gm);
  expect(new Set(documented.flat())).toEqual(new Set(VARIABLES.map((name) => `\`${name}\``)));
  expect(new Set(read.flat())).toEqual(new Set(VARIABLES));
});

it("knows every binding, so that none is taken for a variable", () => {
  const declared = matches(configuration, /^#? ?(?:name|binding) = "([A-Z_]+)"$/gm);
  const typed = matches(source["../src/wiring.ts"], /^ {2}readonly ([A-Z_]+)\??: /gm);
  expect(new Set([...declared, ...typed].flat())).toEqual(new Set(Object.keys(BINDINGS)));
});

it("gives every variable's default, and its value on a laptop", () => {
  const defaults = matches(source["../src/config.ts"], /whole\(env, "(\w+)", ([\d_]+),/g);
  const row = ([name, value]: string[]) => `| \`${name}\` | ${value?.replaceAll("_", "")} |`;
  expect(missing(defaults, row, readme)).toEqual([]);

  const [, local] = /^\[vars\]\n(.*?)\n\n/ms.exec(configuration) ?? [];
  const rows = readme.replace(/^(\| `\w+` \|)[^|]*\|/gm, "$1");
  const values = matches(local, /^(\w+) = "(.*)"$/gm);
  expect(missing(values, ([name, value]) => `| \`${name}\` | ${value} |`, rows)).toEqual([]);
});

it("says what every log line means", () => {
  const lines = matches(
    Object.values(source).join("\n"),
    /console\.\w+\(\s*(?:"([^"]+)"|`([^`]+)`)/g,
  );
  const row = (line: (string | undefined)[]) =>
    `\n| \`${line.join("").replaceAll(/\$\{[^}]*\}/g, "…")}\` |`;
  expect(missing(lines, row, operating)).toEqual([]);
});

it("maps every file of src to a sentence, and no file that is not there", () => {
  const [, map] = /\n## File map\n(.*?)\n## /s.exec(readme) ?? [];
  const mapped = matches(map, /^\| `([^`]+)` \| [^|]+\. \|$/gm).map(([path]) => `../${path}`);
  expect(Object.keys(source).filter((path) => !mapped.includes(path))).toEqual([]);
  expect(mapped.filter((path) => !(path in everyFile))).toEqual([]);
});

it("gives a reason for every dependency", () => {
  const { dependencies, devDependencies } = JSON.parse(manifest);
  const names = Object.keys({ ...dependencies, ...devDependencies }).map((name) => [name]);
  const row = ([name]: string[]) => `\n| \`${name}\` |`;
  expect(missing(names, row, decisions)).toEqual([]);
  expect(names.filter((name) => decisions.split(row(name)).length > 2)).toEqual([]);
});

it("builds the page again when any file changes that it is made of", () => {
  const [[list = ""] = []] = matches(configuration, /^watch_dir = (\[.*\])$/gm);
  const watched: string[] = JSON.parse(list);
  const made = new Set(["../src/web/page.ts"]);
  for (const path of made) {
    for (const [, from = ""] of source[path]?.matchAll(/ from "(\.[^"]+)"/g) ?? []) {
      made.add(`..${new URL(from, `file://${path.slice(2)}`).pathname}`);
    }
  }
  expect(made).toContain("../src/client/answer.ts");
  const isWatched = (path: string) =>
    watched.some((place) => path === `../${place}` || path.startsWith(`../${place}/`));
  expect([...made].filter((path) => !isWatched(path))).toEqual([]);
});

it("mentions every npm script", () => {
  const names = Object.keys(JSON.parse(manifest).scripts).map((name) => [name]);
  const command = ([name = ""]: string[]) =>
    /^(start|test)$/.test(name) ? `npm ${name}` : `npm run ${name}`;
  expect(missing(names, command, readme)).toEqual([]);
});

/** The formatter lines the columns of tables up. */
function unpadded(markdown: string): string {
  return markdown.replaceAll(/ {2,}/g, " ");
}

/** What the groups of a pattern caught; a pattern that finds nothing has lost its source. */
function matches(text: string | undefined, pattern: RegExp): string[][] {
  const found = [...(text ?? "").matchAll(pattern)].map(groups);
  expect(found, `${pattern} finds nothing`).not.toEqual([]);
  return found;
}

function groups([, ...caught]: RegExpMatchArray): string[] {
  return caught;
}

function missing(
  wanted: readonly string[][],
  words: (wanted: string[]) => string,
  document: string,
): string[] {
  return wanted.map(words).filter((text) => !document.includes(text));
}
