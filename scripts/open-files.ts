// How many files a server on this machine may have open, and whether that is few.

/** While a user's object is awake: its database, the log of it, the index of the log, and two connections. */
const FILES_A_USER = 5;
/** As the hard limit of a process says it. */
export type FilesMax = number | "unlimited";

/** Fewer users at once than this are worth a word at the start. */
const USERS_WANTED = 2_000;

/** The sentence for an operator, or undefined if the limit is high enough or unknown. */
export function fewFiles(max: FilesMax | undefined): string | undefined {
  if (typeof max !== "number" || max >= USERS_WANTED * FILES_A_USER) return undefined;
  const users = Math.floor(max / FILES_A_USER).toLocaleString("en");
  const files = max.toLocaleString("en");
  return `This process may have ${files} files open. That is enough for fewer than ${users} users within ten seconds; then requests get 503, or the server ends. docs/operating.md says how to raise it.`;
}

/** The hard limit, which Node takes for itself and for its children. Undefined where the system has none. */
export function filesMax(): FilesMax | undefined {
  const { userLimits } = process.report.getReport() as unknown as {
    readonly userLimits?: { readonly open_files?: { readonly hard: FilesMax } };
  };
  return userLimits?.open_files?.hard;
}
