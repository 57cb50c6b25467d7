// The page as HTML, one file a language. Strings only: the build writes them.

import { ICONS, type IconName, PAGE_ICONS } from "../icons.ts";
import { LANGUAGES } from "./words/languages.ts";
import type { PageWords } from "./words/page-words.ts";

/** By file name: index.html is in English, the others carry their language. */
export function pageFiles(): Readonly<Record<string, string>> {
  const files = LANGUAGES.map((words) => {
    const name = words.lang === "en" ? "index.html" : `index.${words.lang}.html`;
    return [name, html(words)];
  });
  return Object.fromEntries(files);
}

/** The server fills in the meta element `belay` and the title. */
function html(words: PageWords): string {
  const w = escaped(words);
  return `<!doctype html>
<html lang="${w.lang}">
  <head>
    <meta charset="utf-8">
    <title>Belay</title>
    <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
    <meta name="description" content="${w.description}">
    <meta name="belay" content="">
    <meta name="color-scheme" content="light dark">
    <meta name="theme-color" content="#fcfbf8" media="(prefers-color-scheme: light)">
    <meta name="theme-color" content="#191816" media="(prefers-color-scheme: dark)">
    <link rel="icon" href="/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/page.css">
    <script type="module" src="/page.js"></script>
  </head>
  <body class="fresh">
    <a class="skip" href="#question">${w.toQuestion}</a>

    <nav id="sidebar" popover aria-label="${w.history}">
      <p class="brand">${drawing("mark")}<span data-title>Belay</span></p>
      <button type="button" class="new" data-new>${drawing("new")}${w.newQuestion}</button>
      <label class="find" hidden>${drawing("find")}<input id="find" type="search" maxlength="200" autocomplete="off" dir="auto" placeholder="${w.find}" aria-label="${w.find}"></label>
      <p id="history-empty" class="faint" hidden>${w.historyEmpty}</p>
      <div id="history"></div>
      <button type="button" id="history-more" class="quiet" hidden>${w.showMore}</button>
      <button type="button" id="sign-out" class="quiet" hidden>${w.signOut}</button>
    </nav>

    <div class="column">
      <header>
        <button type="button" class="action menu" popovertarget="sidebar" aria-label="${w.history}">${drawing("menu")}</button>
        <p class="brand small">${drawing("mark")}<span data-title>Belay</span></p>
        <div id="quota" hidden>
          <meter id="quota-bar" min="0" aria-label="${w.questionsLeft}"></meter>
          <span id="quota-words"></span>
          <span id="quota-reset" class="faint"></span>
        </div>
        <button type="button" class="action new-small" data-new aria-label="${w.newQuestion}">${drawing("new")}</button>
      </header>

      <main>
        <h1 class="unseen">${w.heading}</h1>
        <div id="banner" hidden><span></span><button type="button" id="retry" hidden>${w.tryAgain}</button></div>
        <div class="welcome">
          <h2 id="greeting">${w.greeting}</h2>
          <p id="made-by"></p>
        </div>
        <div id="log" role="log" aria-live="off" aria-label="${w.log}"></div>
        <section id="sign-in" aria-labelledby="sign-in-why" hidden>
          <p id="sign-in-why">${w.signInFirst}</p>
          <a id="sign-in-link" class="primary" hidden>${w.signIn}</a>
          <details id="own-token">
            <summary>${w.haveToken}</summary>
            <form id="token-form">
              <label for="token">${w.token}</label>
              <div class="row">
                <input id="token" name="token" type="text" required autocomplete="off" autocapitalize="none" spellcheck="false" dir="ltr" aria-describedby="token-note">
                <button type="submit" class="primary">${w.signIn}</button>
              </div>
              <p id="token-note" class="faint">${w.tokenHint}</p>
            </form>
          </details>
        </section>
        <div class="dock">
          <button type="button" id="to-end" aria-label="${w.toEnd}" hidden>${drawing("down-to")}</button>
          <form id="composer">
            <textarea id="question" name="question" rows="1" maxlength="4000" dir="auto" autocomplete="off" placeholder="${w.placeholder}" aria-label="${w.yourQuestion}" aria-describedby="composer-note" enterkeyhint="send"></textarea>
            <button type="submit" id="send" class="round" aria-label="${w.ask}">${drawing("send")}</button>
            <button type="button" id="stop" class="round" aria-label="${w.stop}" hidden>${drawing("stop")}</button>
          </form>
          <p id="composer-note" class="faint"></p>
          <div id="examples" hidden><p class="faint" hidden>${w.topics}</p><ul aria-label="${w.examples}"></ul></div>
        </div>
      </main>
    </div>
    <p id="status" role="status" class="unseen"></p>
  </body>
</html>
`;
}

function drawing(name: IconName): string {
  return `<svg class="icon icon-${name}" viewBox="0 0 24 24" aria-hidden="true"><path d="${{ ...ICONS, ...PAGE_ICONS }[name]}"/></svg>`;
}

/** The texts that are no functions, safe in an attribute. */
function escaped(words: PageWords): PageWords {
  const entries = Object.entries(words).map(([name, text]) => [
    name,
    typeof text === "string"
      ? text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;")
      : text,
  ]);
  return Object.fromEntries(entries);
}
