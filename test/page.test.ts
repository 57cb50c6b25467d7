// The page's identity: what the variables PAGE_… and EXAMPLE_QUESTIONS say, and
// where the page, programs and the list of examples show it.

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { handle } from "../src/edge/edge.ts";
import type { ErrorBody, Examples, PageIdentity } from "../src/protocol.ts";
import type { Env, PageFile } from "../src/wiring.ts";
import { asOperator, bearer } from "./harness.ts";

type Variables = Record<string, string>;

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'";

function file(language: string): PageFile {
  return {
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY },
    text: `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><title>Belay</title></head><body></body></html>`,
  };
}

const FILES = { "/index.html": file("en"), "/index.de.html": file("de") };

function get(
  path: string,
  variables: Variables = {},
  { PAGE = FILES, ...init }: RequestInit & { PAGE?: Record<string, PageFile> } = {},
): Promise<Response> {
  const request = new Request(`https://belay.test${path}`, init);
  // The built page would have more languages.
  return handle(request, { ...env, ...variables, PAGE, ASSETS: undefined } as unknown as Env);
}

/** What a browser makes of the page: the meta's content and the title. */
async function shown(response: Response) {
  let content: string | null = null;
  let title = "";
  let metas = 0;
  await new HTMLRewriter()
    .on('meta[name="belay"]', {
      element: (meta) => {
        metas += 1;
        content = meta.getAttribute("content");
      },
    })
    .on("title", {
      text: (chunk) => {
        title += chunk.text;
      },
    })
    .transform(response)
    .text();
  expect(metas).toBe(1);
  return { identity: JSON.parse(decoded(content ?? "")) as PageIdentity, title: decoded(title) };
}

function decoded(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}

const ALL: Variables = {
  PAGE_TITLE: "Handbook",
  PAGE_ACCENT: "#0A7",
  PAGE_GREETING: "Ask about the handbook.",
  PAGE_SIGN_IN_URL: "https://id.example/sign-in?to=handbook",
};

const identity = async (variables: Variables) =>
  (await get("/api/v1/page", variables)).json<PageIdentity>();

describe("GET /page", () => {
  it("says nothing that the operator has not set", async () => {
    expect(await identity({})).toEqual({
      title: null,
      accent: null,
      greeting: null,
      signInUrl: null,
      anonymous: true,
      answers: "model",
    });
  });

  it("is public, and says what the operator has set", async () => {
    expect(await identity(ALL)).toEqual({
      title: "Handbook",
      accent: "#00aa77",
      greeting: "Ask about the handbook.",
      signInUrl: "https://id.example/sign-in?to=handbook",
      anonymous: true,
      answers: "model",
    });
  });

  it("says whether readers need a bearer token, and whether passages are quoted", async () => {
    const closed = await identity({ ANONYMOUS_LIMIT: "0", GENERATOR: "extractive" });
    expect(closed).toMatchObject({ anonymous: false, answers: "quotes" });
    const openai = await identity({ GENERATOR: "openai", ANONYMOUS_LIMIT: "1" });
    expect(openai).toMatchObject({ anonymous: true, answers: "model" });
  });

  it("can be read by a page that embeds Belay", async () => {
    const headers = { origin: "https://docs.example" };
    const variables = { EMBED_ORIGINS: "https://docs.example" };
    const response = await get("/api/v1/page", variables, { headers });
    expect(response.headers.get("access-control-allow-origin")).toBe("https://docs.example");
  });

  it.each([
    ["PAGE_TITLE", "x".repeat(81), "80 characters"],
    ["PAGE_TITLE", "a\nb", "one line"],
    ["PAGE_TITLE", "a\u2028b", "one line"],
    ["PAGE_TITLE", "\ud800", "one line"],
    ["PAGE_GREETING", "x".repeat(301), "300 characters"],
    ["PAGE_ACCENT", "orange", "such as #b83a0b"],
    ["PAGE_ACCENT", "#12345", "such as #b83a0b"],
    ["PAGE_ACCENT", "#1234567", "such as #b83a0b"],
    ["PAGE_ACCENT", "#fff;}*{display:none", "such as #b83a0b"],
    ["PAGE_SIGN_IN_URL", "/sign-in", "http or https URL"],
    ["PAGE_SIGN_IN_URL", "javascript:alert(1)", "http or https URL"],
    ["PAGE_SIGN_IN_URL", "https://a-user:a-secret@id.example", "without a password"],
    ["PAGE_SIGN_IN_URL", `https://id.example/${"x".repeat(2_000)}`, "2000 characters"],
    ["EXAMPLE_QUESTIONS", "a|b|c|d|e|f|g", "at most 6 questions"],
    ["EXAMPLE_QUESTIONS", `a|${"x".repeat(201)}`, "200 characters"],
    ["EXAMPLE_QUESTIONS", "a|b\u0007", "one line"],
  ])(
    "and the health check refuse a wrong %s without repeating it: %j",
    async (name, value, rule) => {
      const path = name === "EXAMPLE_QUESTIONS" ? "/healthz" : "/api/v1/page";
      for (const asked of [path, "/healthz"]) {
        const response = await get(asked, { [name]: value });
        expect(response.status).toBe(503);
        const { message } = await response.json<ErrorBody>();
        expect(message).toContain(`The variable ${name} must be`);
        expect(message).toContain(rule);
        if (value.length > 8) expect(message).not.toContain(value);
      }
    },
  );

  it.each([
    ["PAGE_TITLE", "😀".repeat(80), "title"],
    ["PAGE_GREETING", "問".repeat(300), "greeting"],
  ] as const)("counts the characters of %s, not their bytes", async (name, value, member) => {
    expect((await identity({ [name]: value }))[member]).toBe(value);
  });
});

describe("the page", () => {
  it("has the identity as JSON and the title in it", async () => {
    const { identity: written, title } = await shown(await get("/", ALL));
    expect(written).toEqual(await identity(ALL));
    expect(title).toBe("Handbook");
    expect((await shown(await get("/"))).title).toBe("Belay");
  });

  it("shows a title and a greeting as they are written, and never as HTML", async () => {
    const variables = {
      PAGE_TITLE: `</title><script>"A" & 'B' &amp; &lt;`,
      PAGE_GREETING: `"><img src=x> &quot; </head> \\ &amp;`,
    };
    const response = await get("/", variables);
    const html = await response.clone().text();
    expect(html).not.toMatch(/<script|<img/);
    const { identity: written, title } = await shown(response);
    expect(title).toBe(variables.PAGE_TITLE);
    expect(written).toMatchObject({ title, greeting: variables.PAGE_GREETING });
  });

  it("has the accent in a style that its policy names by hash, and no other", async () => {
    const plain = await get("/");
    expect(plain.headers.get("content-security-policy")).toBe(POLICY);
    expect(await plain.text()).not.toContain("<style");
    const coloured = await get("/", ALL);
    const [, style = ""] = /<style>(.*?)<\/style>/.exec(await coloured.text()) ?? [];
    expect(style).toBe(
      ":root{--accent:light-dark(#006d4c,#00aa77);--accent-ink:light-dark(#ffffff,#141210)}",
    );
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
    const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
    expect(coloured.headers.get("content-security-policy")).toBe(
      POLICY.replace("style-src 'self'", `style-src 'self' 'sha256-${hash}'`),
    );
  });

  it("is in the reader's language where there is such a file, and else in English", async () => {
    const german = await get("/", {}, { headers: { "accept-language": "de-AT, en;q=0.5" } });
    expect(german.headers.get("content-language")).toBe("de");
    expect(german.headers.get("vary")).toMatch(/Accept-Language/);
    expect(await german.text()).toContain('<html lang="de">');
    const japanese = await get("/", {}, { headers: { "accept-language": "ja" } });
    expect(japanese.headers.get("content-language")).toBe("en");
    expect(await japanese.text()).toContain('<html lang="en">');
    const chosen = await get("/?lang=de", {}, { headers: { "accept-language": "en" } });
    expect(await chosen.text()).toContain('<html lang="de">');
  });

  it("is 304 for a browser that has it, until an operator or a build changes it", async () => {
    const first = await get("/", ALL);
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[\da-f]{32}"$/);
    const again = (variables: Variables, tag: string, path = "/", PAGE = FILES) =>
      get(path, variables, { headers: { "if-none-match": tag }, PAGE });
    const known = await again(ALL, `"other", W/${etag}`);
    expect([known.status, await known.text()]).toEqual([304, ""]);
    expect(known.headers.get("etag")).toBe(etag);
    expect(known.headers.get("vary")).toMatch(/Accept-Language/);
    expect((await again({ ...ALL, PAGE_TITLE: "Other" }, etag)).status).toBe(200);
    expect((await again(ALL, etag, "/?lang=de")).status).toBe(200);
    const rebuilt = { "/index.html": file("en-GB"), "/index.de.html": file("de") };
    expect((await again(ALL, etag, "/", rebuilt)).status).toBe(200);
  });

  it("has the same headers for HEAD", async () => {
    const got = await get("/", ALL);
    const headed = await get("/", ALL, { method: "HEAD" });
    expect(headed.status).toBe(200);
    expect([...headed.headers]).toEqual([...got.headers]);
  });

  it("has one address: its files by language have none of their own", async () => {
    for (const path of ["/index.html", "/index.de.html", "/index"]) {
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    }
  });

  it("of the operators says whether Access admits them and words are shared", async () => {
    const PAGE = { "/console.html": file("en") };
    const asked = async (variables: Variables) => {
      const response = await get("/console", variables, { PAGE });
      expect(response.status).toBe(200);
      return shown(response);
    };
    const plain = await asked({});
    expect(plain.identity).toEqual({ title: null, access: false, shareQueries: true });
    expect(plain.title).toBe("Belay");
    const access = { ACCESS_TEAM_URL: "https://team.access.example", ACCESS_AUDIENCE: "tag" };
    const set = await asked({ ...ALL, ...access, SHARE_QUERIES: "false" });
    expect(set.identity).toEqual({ title: "Handbook", access: true, shareQueries: false });
    expect(set.title).toBe("Console · Handbook");
    const coloured = await get("/console", ALL, { PAGE });
    expect(coloured.headers.get("content-security-policy")).toMatch(/style-src 'self' 'sha256-/);
    const known = { "if-none-match": coloured.headers.get("etag") ?? "" };
    expect((await get("/console", ALL, { PAGE, headers: known })).status).toBe(304);
    expect((await get("/console.html", ALL, { PAGE })).status).toBe(404);
    expect((await get("/console", ALL)).status).toBe(404);
  });

  it("is 404 where it was not built", async () => {
    const variables = { ...env, PAGE: {}, ASSETS: undefined } as unknown as Env;
    const response = await handle(new Request("https://belay.test/"), variables);
    expect(response.status).toBe(404);
  });
});

describe("a path that begins with two slashes", () => {
  it.each(["//", "//[", "//:0", "//belay.test/page.js"])(
    "names no host, and is 404: %s",
    async (path) => {
      const response = await handle(
        new Request(`https://belay.test${path}`),
        env as unknown as Env,
      );
      expect([response.status, (await response.json<ErrorBody>()).code]).toEqual([
        404,
        "NOT_FOUND",
      ]);
    },
  );
});

describe("a file of the page that is no text", () => {
  it("is sent byte by byte", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const base64 = btoa(String.fromCharCode(...bytes));
    const headers = { "content-type": "font/woff2" };
    const PAGE = { "/fonts/a.woff2": { headers, base64 } };
    const response = await get("/fonts/a.woff2", {}, { PAGE });
    expect(response.headers.get("content-type")).toBe("font/woff2");
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
  });
});

describe("EXAMPLE_QUESTIONS", () => {
  const examples = async (EXAMPLE_QUESTIONS: string) => {
    const headers = { authorization: `Bearer ${await bearer({ sub: "reader of examples" })}` };
    const response = await get("/api/v1/ai/examples", { EXAMPLE_QUESTIONS }, { headers });
    expect(response.status).toBe(200);
    return response.json<Examples>();
  };

  it("replaces what the documents suggest, once there is a document", async () => {
    const own = " When am I charged? || What is a refund? ";
    expect(await examples(own)).toEqual({ empty: true, questions: [] });
    const text = "# Charges\n\n## When is an answer charged?\n\nOnce it has arrived whole.";
    const body = JSON.stringify({ title: "Charges", text });
    const put = await asOperator("/admin/documents/examples", { method: "PUT", body });
    expect(put.status).toBeLessThan(300);
    expect((await examples("")).questions).not.toContain("What is a refund?");
    expect(await examples(own)).toEqual({
      empty: false,
      questions: ["When am I charged?", "What is a refund?"],
    });
    await asOperator("/admin/documents/examples", { method: "DELETE" });
  });

  it("does not answer callers without a token", async () => {
    const response = await get("/api/v1/ai/examples", { EXAMPLE_QUESTIONS: "Who?" });
    expect(response.status).toBe(401);
  });
});
