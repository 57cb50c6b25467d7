import { defineConfig } from "vitepress";

const belay = process.env.BELAY_URL ?? "http://127.0.0.1:8787";

export default defineConfig({
  title: "Rope care",
  lang: "en-GB",
  // The element: one module, from Belay.
  head: [["script", { type: "module", src: `${belay}/embed.js` }]],
});
