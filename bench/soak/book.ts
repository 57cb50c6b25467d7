// What the clients of one user saw of each question, and how the server's
// account of this user differs from it.

import type { QueryState, Receipt, RefundReason } from "../../src/protocol.ts";

/** What must have become of a question, by what its client saw. */
export interface Entry {
  /** What the user did, for the message. */
  readonly action: string;
  readonly state: Exclude<QueryState, "reserved">;
  readonly reason: RefundReason | null;
  /** The whole answer, if there is one. */
  readonly answer: string | null;
}

/** What the server says about a user. */
export interface Account {
  readonly audit: { readonly ok: boolean; readonly differences: readonly string[] };
  readonly windows: readonly {
    readonly window: string | number;
    readonly reserved: string | number;
    readonly charged: string | number;
    readonly refunded: string | number;
  }[];
  readonly reservations: readonly { readonly queryId: string }[];
  /** All receipts of the user. */
  readonly receipts: readonly Pick<Receipt, "queryId" | "state" | "reason" | "answer">[];
}

export class Book {
  readonly #entries = new Map<string, Entry>();
  readonly #surprises: string[] = [];

  get size(): number {
    return this.#entries.size;
  }

  /** The same question again, such as with the same key, must end the same. */
  note(queryId: string, entry: Entry): void {
    const known = this.#entries.get(queryId);
    if (known !== undefined && (known.state !== entry.state || known.answer !== entry.answer)) {
      this.surprise(`${queryId} was ${known.state} when it was asked, ${entry.state} later`);
    }
    this.#entries.set(queryId, entry);
  }

  /** What no client of the soak may see. */
  surprise(what: string): void {
    this.#surprises.push(what);
  }

  count(state: Entry["state"]): number {
    return [...this.#entries.values()].filter((entry) => entry.state === state).length;
  }

  /** All differences, as sentences. None: the user's account is exact. */
  differences(account: Account | undefined): string[] {
    if (account === undefined) {
      if (this.size === 0) return [...this.#surprises];
      return [
        ...this.#surprises,
        `the server knows no user, but ${this.size} questions were asked`,
      ];
    }
    return [
      ...this.#surprises,
      ...account.audit.differences.map((difference) => `audit: ${difference}`),
      ...(account.audit.ok || account.audit.differences.length > 0 ? [] : ["the audit is not ok"]),
      ...account.reservations.map(({ queryId }) => `${queryId} is still reserved`),
      ...this.#againstReceipts(account.receipts),
      ...againstCounters(account),
    ];
  }

  #againstReceipts(receipts: Account["receipts"]): string[] {
    const differences: string[] = [];
    const seen = new Set<string>();
    for (const receipt of receipts) {
      const { queryId } = receipt;
      if (seen.has(queryId)) differences.push(`${queryId} has two rows`);
      seen.add(queryId);
      const entry = this.#entries.get(queryId);
      if (entry === undefined) {
        differences.push(`${queryId} is ${receipt.state}, but no client asked it`);
        continue;
      }
      const became = words(receipt);
      if (became !== words(entry)) {
        differences.push(`${queryId} (${entry.action}) is ${became}, expected ${words(entry)}`);
      } else if (receipt.answer !== entry.answer) {
        differences.push(`${queryId} (${entry.action}) has another answer than its client read`);
      }
    }
    for (const [queryId, { action }] of this.#entries) {
      if (!seen.has(queryId)) differences.push(`${queryId} (${action}) has no row`);
    }
    return differences;
  }
}

/** The counters of all windows, against the rows. */
function againstCounters({ windows, receipts }: Account): string[] {
  return (["reserved", "charged", "refunded"] as const).flatMap((state) => {
    const counted = windows.reduce((sum, window) => sum + Number(window[state]), 0);
    const rows = receipts.filter((receipt) => receipt.state === state).length;
    return counted === rows ? [] : [`${counted} are counted as ${state}, but ${rows} rows are`];
  });
}

function words({ state, reason }: Pick<Receipt, "state" | "reason">): string {
  return reason === null ? state : `${state} (${reason})`;
}
