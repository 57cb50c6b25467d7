// Some alarms audit the counters, so that a bug in them shows in the log, though
// no operator looks at that user.

import { audit } from "./inspect.ts";
import type { Tables } from "./tables.ts";

/** One alarm in this many: an audit reads all rows of the query log. */
const ALARMS = 100;

export class AuditSample {
  readonly #user: string;
  readonly #tables: Tables;
  #isReported = false;

  /** @param user The object's id, a hash of the name. */
  constructor(user: string, tables: Tables) {
    this.#user = user;
    this.#tables = tables;
  }

  /** Logs one line if counters differ from the rows: once for each instance. */
  take(): void {
    if (this.#isReported || Math.random() * ALARMS >= 1) return;
    const { ok, differences } = audit(this.#tables);
    if (ok) return;
    this.#isReported = true;
    console.error("The counters of a user differ from the rows:", this.#user, ...differences);
  }
}
