// The control flow of the console: sign-in, and which part is shown. The part, the
// names below it and its filters are in the address after `#`, so that they survive
// a reload and can be sent to another operator. The server never gets them.

import { byId, element } from "../element.ts";
import { Api } from "./api.ts";
import { documents } from "./documents.ts";
import { PARTS, type PartName } from "./html.ts";
import { operatorsLog } from "./log.ts";
import { visible } from "./names.ts";
import { overview } from "./overview.ts";
import { addressOf, type Place } from "./place.ts";
import { feedback } from "./queries.ts";
import { questions } from "./questions.ts";
import { Session } from "./session.ts";
import { SignIn } from "./sign-in.ts";
import { storedDocument } from "./stored-document.ts";
import { user } from "./user.ts";
import { users } from "./users.ts";

/** What the server says of the deployment. */
interface About {
  readonly title: string | null;
  /** Whether Cloudflare Access admits operators. */
  readonly access: boolean;
  readonly shareQueries: boolean;
}

const VIEWS: Readonly<Record<PartName, (place: Place) => void>> = {
  overview,
  users: (place) => {
    const [name] = place.names;
    if (name === undefined) users(place);
    else user(place, name);
  },
  questions,
  feedback,
  documents: (place) => {
    const [collection, id] = place.names;
    if (collection !== undefined && id !== undefined) storedDocument(place, collection, id);
    else documents(place);
  },
  log: operatorsLog,
};

export class Console {
  readonly #about = readAbout();
  readonly #session = new Session(this.#about.access);
  readonly #api = new Api(this.#session);
  readonly #signIn = new SignIn(this.#session, () => {
    this.#show();
    // The field that had the focus is gone.
    this.#main.focus();
  });
  readonly #main = byId("part", HTMLElement);
  readonly #view = byId("view", HTMLElement);
  readonly #status = byId("status", HTMLElement);
  readonly #nav = document.querySelector("nav") as HTMLElement;
  readonly #who = document.querySelector(".who") as HTMLElement;
  readonly #name = document.title;
  #current = new AbortController();

  start(): void {
    const { title } = this.#about;
    if (title !== null) {
      for (const name of document.querySelectorAll("[data-title]")) name.textContent = title;
    }
    // Its address would take the place of the part.
    document.querySelector(".skip")?.addEventListener("click", (event) => {
      event.preventDefault();
      this.#main.focus();
    });
    this.#session.onRefused = () => this.#show();
    addEventListener("hashchange", () => {
      this.#show();
      // Where a link leads begins at the top, for eyes and for screen readers.
      scrollTo({ top: 0 });
      this.#main.focus();
    });
    this.#show();
  }

  /** Shows what the address says, or the sign-in. */
  #show(): void {
    this.#current.abort();
    this.#current = new AbortController();
    this.#view.replaceChildren();
    const needsSignIn = this.#signIn.update();
    this.#view.hidden = needsSignIn;
    this.#nav.hidden = needsSignIn;
    this.#who.hidden = needsSignIn;
    if (needsSignIn) {
      // Only an operator may read what was open.
      for (const dialog of document.querySelectorAll("dialog")) dialog.close();
      document.title = this.#name;
      return;
    }
    const { part, names, filters } = read(location.hash);
    this.#mark(part);
    VIEWS[part](this.#place(part, names, filters));
  }

  #place(part: PartName, names: readonly string[], filters: URLSearchParams): Place {
    const heading = element("h1", {}, PARTS[part]);
    const titles = element("div", { class: "titles" }, heading);
    const controls = element("div", { class: "controls" });
    const root = element("div", { class: "part" });
    this.#view.append(element("div", { class: "head" }, titles, controls), root);
    document.title = `${PARTS[part]} · ${this.#name}`;
    return {
      ...{ api: this.#api, root, controls, names, filters },
      showsWords: this.#about.shareQueries,
      gone: this.#current.signal,
      title: (words) => {
        const up = element("a", { href: addressOf([part]) }, PARTS[part]);
        titles.prepend(element("p", { class: "up" }, up));
        heading.classList.add("named");
        heading.dir = "auto";
        heading.textContent = visible(words);
        document.title = `${visible(words)} · ${this.#name}`;
      },
      keep: (kept) => {
        const chosen = Object.entries(kept).filter(([, value]) => value !== "");
        const address = addressOf([part, ...names], Object.fromEntries(chosen));
        history.replaceState(null, "", address);
      },
      announce: (words) => {
        this.#status.textContent = words;
      },
    };
  }

  #mark(part: PartName): void {
    for (const link of this.#nav.querySelectorAll<HTMLElement>("[data-part]")) {
      const isHere = link.dataset.part === part;
      link.ariaCurrent = isHere ? "page" : null;
      // On a phone the parts scroll.
      if (isHere) link.scrollIntoView({ block: "nearest", inline: "center" });
    }
  }
}

function readAbout(): About {
  const text = document.querySelector<HTMLMetaElement>('meta[name="belay"]')?.content;
  return { title: null, access: false, shareQueries: true, ...JSON.parse(text || "{}") };
}

/** `#/users/alice?sort=asked`. An unknown part is the overview. */
function read(hash: string): {
  part: PartName;
  names: readonly string[];
  filters: URLSearchParams;
} {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [first = "", ...names] = path
    .split("/")
    .filter((name) => name !== "")
    .map(decoded);
  const part = Object.hasOwn(PARTS, first) ? (first as PartName) : "overview";
  return { part, names, filters: new URLSearchParams(search) };
}

/** An address may be typed. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
