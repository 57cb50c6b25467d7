// The drawings: paths in a square of 24, without fill.

/** Those of the page alone, which main.ts adds: the element is small without them. */
export const PAGE_ICONS = {
  menu: "M4 7h16M4 12h10M4 17h16",
  link: "M10.5 13.5a3.5 3.5 0 0 0 5 0l3-3a3.5 3.5 0 0 0-5-5l-1 1M13.5 10.5a3.5 3.5 0 0 0-5 0l-3 3a3.5 3.5 0 0 0 5 5l1-1",
  find: "M15.5 15.5 20 20M17.5 11a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0z",
  bin: "M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 12.5h9.400L17.5 7M10 10.5v5.5M14 10.5v5.5",
  key: "M14.5 14.5a5 5 0 1 0-4.900-4L4.5 15.600v3.900h3.900v-2.5h2.5v-2.5l.6-.6a5 5 0 0 0 3 .6zM15.5 8.5h.01",
} as const;

/** Those of the operators' console, which its main.ts adds. */
export const CONSOLE_ICONS = {
  overview: "M5 19.5v-5M12 19.5v-15M19 19.5v-9",
  users:
    "M12.5 8a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0zM2.5 19.5a6.5 6.5 0 0 1 13 0M16 4.700a3.5 3.5 0 0 1 0 6.600M18.5 14a6.5 6.5 0 0 1 3 5.5",
  questions:
    "M4 4.500h16v12h-8.500l-4 3.500v-3.500H4zM10 9a2 2 0 1 1 3 1.700c-.7.4-1 .7-1 1.300M12 14h.01",
  feedback:
    "M7 11v9H4.5v-9zM7 11l4-7.5c1.4 0 2.5 1 2.5 2.5v3.5h4.7a2 2 0 0 1 2 2.4l-1.2 6.5a2 2 0 0 1-2 1.6H7",
  documents: "M6.500 3.500h7.500L18.500 8v12.500h-12zM14 3.500V8h4.500M9.500 12.500h6M9.500 16h6",
  log: "M12 7.500V12l3 2M20 12a8 8 0 1 1-16 0 8 8 0 0 1 16 0z",
  leave: "M13.500 4.500h-8v15h8M10 12h10M16.500 8.500 20 12l-3.500 3.500",
  upload: "M12 16V5M7.500 9.500 12 5l4.500 4.500M5 19.500h14",
  download: "M12 4.500v11M7.500 11l4.500 4.500L16.500 11M5 19.500h14",
} as const;

const SHARED = {
  mark: "M15.5 3.5a5 5 0 0 1 3 4.6v7.4a5.5 5.5 0 0 1-11 0V9M15.5 3.5A5 5 0 0 0 7.5 9l3.2 3",
  new: "M12 5v14M5 12h14",
  send: "M12 19V5M6 11l6-6 6 6",
  "down-to": "M12 5v14M6 13l6 6 6-6",
  stop: "M8 8h8v8H8z",
  copy: "M11.5 9h6a2.5 2.5 0 0 1 2.5 2.5v6a2.5 2.5 0 0 1-2.5 2.5h-6a2.5 2.5 0 0 1-2.5-2.5v-6a2.5 2.5 0 0 1 2.5-2.5zM5.5 15A2.5 2.5 0 0 1 4 12.700V6.5A2.5 2.5 0 0 1 6.5 4h6.200A2.5 2.5 0 0 1 15 5.5",
  check: "m5 12.5 4.5 4.5L19 7.5",
  again: "M19 12a7 7 0 1 1-2.2-5.1L19 9M19 4.5V9h-4.5",
  up: "M7 11v9H4.5v-9zM7 11l4-7.5c1.4 0 2.5 1 2.5 2.5v3.5h4.7a2 2 0 0 1 2 2.4l-1.2 6.5a2 2 0 0 1-2 1.6H7",
  down: "M17 13V4h2.5v9zM17 13l-4 7.5c-1.4 0-2.5-1-2.5-2.5v-3.5H5.8a2 2 0 0 1-2-2.4l1.2-6.5a2 2 0 0 1 2-1.6H17",
  chevron: "m7 10 5 5 5-5",
  out: "M8 16 17 7M9.5 7H17v7.5",
  arrow: "M5 12h14M13 6l6 6-6 6",
  close: "m7 7 10 10M17 7 7 17",
} as const;

export type IconName = keyof typeof SHARED | keyof typeof PAGE_ICONS | keyof typeof CONSOLE_ICONS;

export const ICONS: Partial<Record<IconName, string>> = SHARED;
