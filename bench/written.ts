/** What an object has written, as Cloudflare bills it. */
export interface Written {
  readonly rows: number;
  /** Each is billed as one more row. */
  readonly alarms: number;
}

/** Reports of as many users, one after the other of each. */
export interface Reports {
  readonly users: number;
  /** Of all users together. */
  readonly reports: number;
  /** How many each of them has sent before. */
  readonly before: number;
  readonly queries: number;
  readonly hasWords: boolean;
}
