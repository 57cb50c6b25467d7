/// <reference types="vite/client" />
// The docs and the source agree: all that users meet is documented,
// and all that is documented exists.

import { describe, expect, it } from "vitest";
import configuration from "../docs/configuration.md?raw";
import manifest from "../package.json?raw";
import { LOCAL_VARIABLES } from "../scripts/local-variables.ts";
import { BINDINGS, SECRETS, VARIABLES } from "../src/config.ts";
import wranglerToml from "../wrangler.toml?raw";

const source = import.meta.glob<string>("../src/**/*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});
const tests = import.meta.glob<string>("./*.test.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});
const documents = import.meta.glob<string>(["../*.md", "../{docs,examples}/*.md"], {
  query: "?raw",
  import: "default",
  eager: true,
});
/** The paths of all files. The glob leaves out this file. */
const everyFile = [
  "test/docs.test.ts",
  ...Object.keys(
    import.meta.glob([
      "../*",
      "../{.ci,bench,conformance,docs,eval,examples,samples,scripts,src,test}/**/*",
      "../examples/vitepress/.vitepress/**/*",
    ]),
  ).map((path) => fromTop(path, "test/")),
];
const allSource = Object.values(source).join("\n");

describe("README", () => {
  it("has fewer than 200 lines", () => {
    expect(documents["../README.md"]?.split("\n").length).toBeLessThan(200);
  });
});

describe("docs/charges.md", () => {
  it("names a test that proves each row of the promise", () => {
    const rows = matches(doc("charges"), /^\| .+ \| `(\S+\.test\.ts)` \| (.+) \|$/gm);
    expect(rows.length).toBeGreaterThan(10);
    const isThere = ([file, name = ""]: string[]) =>
      titles(tests[`./${file}`]).includes(name.replace("…", "%s"));
    expect(rows.filter((row) => !isThere(row))).toEqual([]);
  });
});

describe("docs/protocol.md", () => {
  it("lists every error code under its status", () => {
    const codes = matches(source["../src/errors.ts"], /^ {2}([A-Z_]+): (\d{3}),$/gm);
    const row = ([code, status]: string[]) => `| ${status} | \`${code}\` |`;
    expect(missing(codes, row, doc("protocol"))).toEqual([]);
  });

  it("shows every event", () => {
    const types = matches(source["../src/protocol.ts"], /^ {2}readonly type: "(\w+)";$/gm);
    const event = ([type]: string[]) => `data: {"type":"${type}"`;
    expect(missing(types, event, doc("protocol"))).toEqual([]);
  });

  it("or docs/surfaces.md or docs/collections.md has a heading for every route", () => {
    const routes = matches(
      source["../src/edge/edge.ts"],
      /^router\.(\w+)\(["`](?:\$\{API_PREFIX\})?([^"`]+)["`]/gm,
    );
    const heading = ([method, path]: string[]) => `\n### \`${method?.toUpperCase()} ${path}\`\n`;
    expect(
      missing(routes, heading, doc("protocol") + doc("surfaces") + doc("collections")),
    ).toEqual([]);
  });
});

describe("docs/configuration.md", () => {
  const table = unpadded(configuration).split("\n| variable |")[1]?.split("\n\n")[0];

  it("lists every variable that the source reads, and no other", () => {
    const read = matches(allSource, /\(\s*env,\s*"([A-Z_]+)"/g).flat();
    const [, ...listed] = matches(table, /^\| (\S+) \|/gm).flat();
    expect(new Set(listed)).toEqual(new Set(VARIABLES.map((name) => `\`${name}\``)));
    expect(new Set(read)).toEqual(new Set(VARIABLES));
  });

  it("calls every secret one, and nothing else", () => {
    const listed = matches(table, /^\| `(\w+)` \|[^|]*\|[^|]*\| a secret\b/gm).flat();
    expect(new Set(listed)).toEqual(new Set(SECRETS));
  });

  it("gives every numeric default, and every value of local servers and of wrangler.toml", () => {
    const defaults = matches(allSource, /whole\(env, "(\w+)", ([\d_]+),/g);
    const row = ([name, value]: string[]) => `| \`${name}\` | ${value?.replaceAll("_", "")} |`;
    expect(missing(defaults, row, doc("configuration"))).toEqual([]);

    const locally = doc("configuration").replace(/^(\| `\w+` \|)[^|]*\|/gm, "$1");
    expect(missing(Object.entries(LOCAL_VARIABLES), row, locally)).toEqual([]);

    const [, deployed] = /^\[vars\]\n(.*?)\n\n/ms.exec(wranglerToml) ?? [];
    const said = ([, value]: string[]) => `\`[vars]\` of \`wrangler.toml\` sets \`${value}\``;
    const rowOf = ([name]: string[]) =>
      doc("configuration")
        .split("\n")
        .find((line) => line.startsWith(`| \`${name}\` |`));
    const set = matches(deployed, /^(\w+) = "(.*)"$/gm);
    expect(set.filter((one) => !rowOf(one)?.includes(said(one)))).toEqual([]);
  });
});

describe("docs/operating.md", () => {
  it("explains every log line", () => {
    const lines = matches(allSource, /console\.\w+\(\s*(?:"([^"]+)"|`([^`]+)`)/g);
    const row = (line: (string | undefined)[]) =>
      `\n| \`${line.join("").replaceAll(/\$\{[^}]*\}/g, "…")}\` |`;
    expect(missing(lines, row, doc("operating"))).toEqual([]);
  });
});

describe("docs/map.md", () => {
  const mapped = matches(doc("map"), /^\| `((?:src|\.ci|[a-z]+)\/[^`]*)` \|/gm).flat();

  it("has a line for every folder and for every file directly in src", () => {
    const folders = everyFile
      .filter((path) => path.includes("/"))
      .map((path) => path.slice(0, path.lastIndexOf("/") + 1))
      .map((folder) => (folder.startsWith("test/") ? "test/" : folder));
    const inSrc = everyFile.filter((path) => /^src\/[^/]+$/.test(path));
    const wanted = new Set([...folders, ...inSrc].filter((path) => path !== "src/"));
    expect([...wanted].filter((path) => !mapped.includes(path))).toEqual([]);
  });

  it("has no line for a folder or a file that does not exist", () => {
    const isThere = (path: string) => everyFile.some((file) => file.startsWith(path));
    expect(mapped.filter((path) => !isThere(path))).toEqual([]);
  });

  it("lists every npm script but the one that npm runs by itself", () => {
    const scripts = Object.keys(JSON.parse(manifest).scripts);
    const names = scripts.filter((name) => name !== "prepare").map((name) => [name]);
    const command = ([name = ""]: string[]) =>
      /^(start|test)$/.test(name) ? `\n| \`npm ${name}\` |` : `\n| \`npm run ${name}\` |`;
    expect(missing(names, command, doc("map"))).toEqual([]);
  });
});

describe("docs/decisions.md", () => {
  it("gives exactly one reason for every dependency", () => {
    const { dependencies, devDependencies } = JSON.parse(manifest);
    const names = Object.keys({ ...dependencies, ...devDependencies }).map((name) => [name]);
    const row = ([name]: string[]) => `\n| \`${name}\` |`;
    expect(missing(names, row, doc("decisions"))).toEqual([]);
    expect(names.filter((name) => doc("decisions").split(row(name)).length > 2)).toEqual([]);
  });
});

describe("every document", () => {
  it("names the variables of tokens alike in its commands", () => {
    const commands = Object.values(documents).join("\n");
    const names = matches(commands, /Bearer \$([A-Z_]+)/g).map(([name]) => name);
    expect(new Set(names)).toEqual(new Set(["BELAY_TOKEN", "OPERATOR"]));
  });

  it.each(Object.keys(documents))(
    "%s links only to files, pictures and headings that exist",
    (path) => {
      const links = [...(documents[path] ?? "").matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)];
      const targets = links.flatMap(([, to = ""]) => (/^[a-z]+:/.test(to) ? [] : [to]));
      const isThere = (to: string) => {
        const [file = "", heading] = to.split("#");
        const here = path.slice("../".length);
        const target = file === "" ? here : fromTop(file, here);
        if (!everyFile.includes(target)) return false;
        return heading === undefined || anchors(documents[`../${target}`]).includes(heading);
      };
      expect(targets.filter((to) => !isThere(to))).toEqual([]);
    },
  );

  it.each(Object.keys(documents))("%s names only files and folders that exist", (path) => {
    const named = [...(documents[path] ?? "").matchAll(/`((?:src|test|scripts)\/[\w./-]+)`/g)];
    const isThere = ([, name = ""]: string[]) =>
      everyFile.some((file) => file === name || file.startsWith(`${name.replace(/\/$/, "")}/`));
    expect(named.filter((name) => !isThere(name)).map(([, name]) => name)).toEqual([]);
  });
});

describe("wrangler.toml", () => {
  it("declares every binding that src/config.ts knows", () => {
    const declared = matches(wranglerToml, /^#? ?(?:name|binding) = "([A-Z_]+)"$/gm);
    const typed = matches(allSource, /^ {2}readonly ([A-Z_]{2,})\??: /gm);
    const bindings = typed.filter(
      ([name = ""]) => !(VARIABLES as readonly string[]).includes(name),
    );
    expect(new Set([...declared, ...bindings].flat())).toEqual(new Set(Object.keys(BINDINGS)));
  });

  it("watches every file that the page is built from", () => {
    const [[list = ""] = []] = matches(wranglerToml, /^watch_dir = (\[.*\])$/gm);
    const watched: string[] = JSON.parse(list);
    const made = new Set(["../src/web/reader/main.ts", "../src/web/console/main.ts"]);
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
});

function doc(name: string): string {
  return unpadded(documents[`../docs/${name}.md`] ?? "");
}

/** Makes a relative path one from the top folder on. */
function fromTop(path: string, here: string): string {
  return new URL(path, `file:///${here}`).pathname.slice(1);
}

/** The formatter pads the columns of tables: undo that. */
function unpadded(markdown: string): string {
  return markdown.replaceAll(/ {2,}/g, " ");
}

/** The anchors that GitHub gives the headings of a document. */
function anchors(markdown = ""): string[] {
  const seen = new Map<string, number>();
  return [...markdown.replaceAll(/^```.*?^```/gms, "").matchAll(/^#+ (.+)$/gm)].map(
    ([, heading = ""]) => {
      const anchor = heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-");
      const times = seen.get(anchor) ?? 0;
      seen.set(anchor, times + 1);
      return times === 0 ? anchor : `${anchor}-${times}`;
    },
  );
}

/** The titles of a file's tests. A `$name` counts as a `%s`. */
function titles(text = ""): string[] {
  return [...text.matchAll(/\(\s*"((?:[^"\\]|\\.)+)",/g)].map(([, title = ""]) =>
    title.replaceAll(/\$\w+/g, "%s"),
  );
}

/** The groups of all matches. A pattern without a match is outdated. */
function matches(text: string | undefined, pattern: RegExp): string[][] {
  const found = [...(text ?? "").matchAll(pattern)].map(([, ...groups]) => groups);
  expect(found, `${pattern} finds nothing`).not.toEqual([]);
  return found;
}

function missing(
  wanted: readonly string[][],
  words: (wanted: string[]) => string,
  document: string,
): string[] {
  return wanted.map(words).filter((text) => !document.includes(text));
}
