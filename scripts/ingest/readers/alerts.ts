// The alerts that GitHub has, by the names that callouts are given.

export const ALERTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ note: "NOTE", info: "NOTE", tip: "TIP", hint: "TIP", success: "TIP" },
    ...{ important: "IMPORTANT", warning: "WARNING", attention: "WARNING", deprecated: "WARNING" },
    ...{ caution: "CAUTION", danger: "CAUTION", error: "CAUTION" },
  }),
);
