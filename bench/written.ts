/** What an object has written, as Cloudflare bills it. */
export interface Written {
  readonly rows: number;
  /** Each is billed as one more row. */
  readonly alarms: number;
}
