// How each part of the console looks on each kind of screen: without a serious
// accessibility fault, and not wider than the screen.

import { describe, expect, it } from "vitest";
import type { Visit } from "../site.ts";
import { goTo, operatorAt, request } from "./operators.ts";

const DESKTOP = { width: 1280, height: 820 };
const LIGHT = { colorScheme: "light", forcedColors: "none" } as const;
const DARK = { colorScheme: "dark", forcedColors: "none" } as const;
const KINDS = {
  desktop: { viewport: DESKTOP, media: LIGHT },
  "desktop-dark": { viewport: DESKTOP, media: DARK },
  "phone-dark": { viewport: { width: 390, height: 800 }, media: DARK },
  phone: { viewport: { width: 390, height: 800 }, media: LIGHT },
  // At 200 % a window of 1280 by 820 has half of its pixels.
  zoomed: { viewport: { width: 640, height: 410 }, media: LIGHT },
  "forced-colours": {
    viewport: DESKTOP,
    media: { colorScheme: "light", forcedColors: "active" },
  },
} as const;
type Kind = keyof typeof KINDS;
/** The elements are those of another kind, and colours are not the page's. */
const PICTURES_ALONE: ReadonlySet<Kind> = new Set(["zoomed", "forced-colours"]);

const PARTS = [
  ...["overview", "users", "users/alice", "questions", "questions/top", "questions/all"],
  ...["feedback", "documents?search=hours", "documents/default/hours.md", "log"],
];

export function looks(): void {
  describe("has no serious accessibility fault, and fits", () => {
    it.each(PARTS)("%s", async (part) => {
      const text = "# Opening hours\n\nWe are open from 9 to 17 h on weekdays.";
      await request("ops", "PUT", "/admin/documents/hours.md", { title: "Opening hours", text });
      const visit = await operatorAt("log");
      for (const kind of Object.keys(KINDS) as Kind[]) {
        await become(visit, kind);
        if (kind === "desktop") await goTo(visit, part);
        const picture = `console-${kind}-${part.replaceAll(/\W+/g, "-")}`;
        if (PICTURES_ALONE.has(kind)) await visit.picture(picture);
        else expect([kind, await visit.look(picture)]).toEqual([kind, []]);
        // What is too wide scrolls in its own frame.
        const overflow = await visit.page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect([kind, overflow]).toEqual([kind, 0]);
      }
    });
  });
}

async function become({ page }: Visit, kind: Kind): Promise<void> {
  await page.setViewportSize(KINDS[kind].viewport);
  await page.emulateMedia(KINDS[kind].media);
}
