// The console as HTML. Strings only: the build writes them.

import { CONSOLE_ICONS, ICONS, type IconName, PAGE_ICONS } from "../icons.ts";

/** The parts of the console: their names in the address, and what they are called. */
export const PARTS = {
  overview: "Overview",
  users: "Users",
  questions: "Questions",
  feedback: "Feedback",
  documents: "Documents",
  log: "Log",
} as const;

export type PartName = keyof typeof PARTS;

/** The server fills in the meta element `belay` and the title. */
export function consoleFile(): string {
  const links = Object.entries(PARTS).map(
    ([name, words]) =>
      `<li><a href="#/${name}" data-part="${name}">${drawing(name as PartName)}<span>${words}</span></a></li>`,
  );
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Console · Belay</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <meta name="belay" content="">
    <meta name="color-scheme" content="light dark">
    <meta name="theme-color" content="#fcfbf8" media="(prefers-color-scheme: light)">
    <meta name="theme-color" content="#191816" media="(prefers-color-scheme: dark)">
    <link rel="icon" href="/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/console.css">
    <script type="module" src="/console.js"></script>
  </head>
  <body>
    <a class="skip" href="#part">To the content</a>
    <header>
      <p class="brand">${drawing("mark")}<span data-title>Belay</span></p>
      <nav aria-label="Parts of the console" hidden><ul>${links.join("")}</ul></nav>
      <div class="who" hidden>
        <span id="operator" class="named" dir="auto"></span>
        <button type="button" id="sign-out" class="leave">${drawing("leave")}<span>Sign out</span></button>
        <a id="leave-access" class="leave" href="/cdn-cgi/access/logout" hidden>${drawing("leave")}<span>Sign out</span></a>
      </div>
    </header>
    <main id="part" tabindex="-1">
      <section id="sign-in" aria-labelledby="sign-in-title" hidden>
        <h1 id="sign-in-title">Console for operators</h1>
        <p id="sign-in-why" role="alert"></p>
        <form id="token-form">
          <label for="token">An operator’s bearer token</label>
          <div class="row">
            <input id="token" name="token" type="text" required autocomplete="off" autocapitalize="none" spellcheck="false" dir="ltr" aria-describedby="token-note">
            <button type="submit" class="primary">Sign in</button>
          </div>
          <p id="token-note" class="faint">This tab keeps it until you close the tab or sign out. It is sent to this site only.</p>
        </form>
        <p class="faint">Where <code>AUTH_SECRET</code> is set, this prints one: <code class="line"><span>npm run -s token --</span> <span>--user NAME</span> <span>--operator</span></code></p>
      </section>
      <div id="view" hidden></div>
    </main>
    <p id="status" role="status" class="unseen"></p>
  </body>
</html>
`;
}

function drawing(name: IconName): string {
  return `<svg class="icon icon-${name}" viewBox="0 0 24 24" aria-hidden="true"><path d="${{ ...ICONS, ...PAGE_ICONS, ...CONSOLE_ICONS }[name]}"/></svg>`;
}
