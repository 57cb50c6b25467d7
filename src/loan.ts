// The messages between user objects and the budget. Both keep an account of
// each user and period. Its amounts only grow, and the larger one counts. So a
// message that comes late, twice or never does no harm, and a grant whose reply
// was lost is sent again.

/** Generations, and what they cost, in micro-dollars. */
export interface Amount {
  readonly generations: number;
  readonly micros: number;
}

/** What one user was granted in one period, gave back, and used. */
export interface Account {
  readonly granted: Amount;
  readonly returned: Amount;
  readonly used: Amount;
}

export interface Statement extends Account {
  readonly period: string;
}

/** A user object, as an account names it. */
export interface Holder {
  /** The id of the user's object. */
  readonly user: string;
  /** The user's query log: a user who was erased and comes back has another. */
  readonly log: string;
  /** Whether readers without a bearer token share the object. */
  readonly isAnonymous: boolean;
}

export interface LoanRequest {
  readonly holder: Holder;
  readonly statements: readonly Statement[];
  /** The most that one ask may cost. */
  readonly need: Amount;
  /** What the holder still has, by period. */
  readonly room: Readonly<Record<string, Amount>>;
}

/** What the headers of a response say of the budget. */
export interface ShownLimit {
  readonly limit: number;
  readonly left: number;
  /** Of the period, in milliseconds since the epoch; null if it never ends. */
  readonly startsAt: number | null;
  readonly endsAt: number | null;
}

/** The account as it is now, or when to come again. */
export type Loan =
  /** `shown`: of the generations; null where they have no limit. */
  | { readonly type: "lent"; readonly statement: Statement; readonly shown: ShownLimit | null }
  /** `endsAt`: in milliseconds since the epoch; null if it never ends. */
  | { readonly type: "exceeded"; readonly endsAt: number | null };

/** One budget hears of all users. */
export interface Budget {
  lend(request: LoanRequest): Promise<Loan>;
  /** What the budget has of each period of the statements. */
  settle(holder: Holder, statements: readonly Statement[]): Promise<readonly Statement[]>;
}

/** A user object, to the budget. */
export interface Debtor {
  /**
   * Takes back what is not in use, if it is idle or `isUrgent`. Undefined if
   * the user was erased: nothing of that log is used any more.
   */
  recall(log: string, known: Statement, isUrgent: boolean): Promise<Statement | undefined>;
}

export const NOTHING: Amount = { generations: 0, micros: 0 };
export const NO_ACCOUNT: Account = { granted: NOTHING, returned: NOTHING, used: NOTHING };

export function plus(one: Amount, other: Amount): Amount {
  return {
    generations: one.generations + other.generations,
    micros: one.micros + other.micros,
  };
}

export function minus(one: Amount, other: Amount): Amount {
  return {
    generations: one.generations - other.generations,
    micros: one.micros - other.micros,
  };
}

export function times(amount: Amount, count: number): Amount {
  return { generations: amount.generations * count, micros: amount.micros * count };
}

export function larger(one: Amount, other: Amount): Amount {
  return {
    generations: Math.max(one.generations, other.generations),
    micros: Math.max(one.micros, other.micros),
  };
}

export function positive(amount: Amount): Amount {
  return larger(amount, NOTHING);
}

export function isNothing({ generations, micros }: Amount): boolean {
  return generations === 0 && micros === 0;
}

/** Whether both amounts of `one` are at least those of `other`. */
export function covers(one: Amount, other: Amount): boolean {
  return one.generations >= other.generations && one.micros >= other.micros;
}

export function merged(one: Account, other: Account): Account {
  return {
    granted: larger(one.granted, other.granted),
    returned: larger(one.returned, other.returned),
    used: larger(one.used, other.used),
  };
}

/** Negative where more was used than was granted. */
export function balance({ granted, returned, used }: Account): Amount {
  return minus(minus(granted, returned), used);
}

/** What the budget has lent: it must not lend it again. */
export function outstanding(account: Account): Amount {
  return positive(balance(account));
}

export function isSame(one: Account, other: Account): boolean {
  return (["granted", "returned", "used"] as const).every((name) =>
    isNothing(minus(one[name], other[name])),
  );
}

/** The columns of an account, in two tables of two objects. */
export const ACCOUNT_COLUMNS = `
    granted_generations INTEGER NOT NULL CHECK (granted_generations >= 0),
    granted_micros INTEGER NOT NULL CHECK (granted_micros >= 0),
    returned_generations INTEGER NOT NULL CHECK (returned_generations >= 0),
    returned_micros INTEGER NOT NULL CHECK (returned_micros >= 0),
    used_generations INTEGER NOT NULL CHECK (used_generations >= 0),
    used_micros INTEGER NOT NULL CHECK (used_micros >= 0)`;

export const ACCOUNT_NAMES = [
  ...["granted_generations", "granted_micros", "returned_generations", "returned_micros"],
  ...["used_generations", "used_micros"],
].join(", ");

export type AccountRow = {
  granted_generations: number;
  granted_micros: number;
  returned_generations: number;
  returned_micros: number;
  used_generations: number;
  used_micros: number;
};

export function accountOf(row: AccountRow): Account {
  return {
    granted: { generations: row.granted_generations, micros: row.granted_micros },
    returned: { generations: row.returned_generations, micros: row.returned_micros },
    used: { generations: row.used_generations, micros: row.used_micros },
  };
}

/** In the order of ACCOUNT_NAMES. */
export function accountValues({ granted, returned, used }: Account): number[] {
  return [granted, returned, used].flatMap(({ generations, micros }) => [generations, micros]);
}
