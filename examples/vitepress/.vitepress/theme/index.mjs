import DefaultTheme from "vitepress/theme";
import { h } from "vue";

/** The default theme, with a bubble on every page. */
export default {
  extends: DefaultTheme,
  Layout: () =>
    h(DefaultTheme.Layout, null, {
      "layout-bottom": () => h("belay-ask", { mode: "bubble", label: "Ask the docs" }),
    }),
};
