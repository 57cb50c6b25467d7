// What an ask is paid with, of the budget of the whole deployment.

import type { Meter } from "../answer/meter.ts";
import type { ServiceError } from "../errors.ts";

/** The answer is of the generator without a model, and takes nothing. */
export const FALLBACK = "fallback";

export interface Payment {
  /** The period of the budget, FALLBACK, or null where no budget is set. */
  readonly budget: string | null;
  /** The most that the answer may cost, in micro-dollars. */
  readonly micros: number;
  /** Undefined where nothing is paid by the token. */
  readonly meter?: Meter | undefined;
  /** A new ask must be refused. */
  readonly refusal?: ServiceError | undefined;
  /** Gives the held place back. The second time does nothing. */
  release(): void;
}

const none = { budget: null, micros: 0, release: () => {} };

/** No budget is set. */
export const FREE: Payment = none;

export function paidByFallback(): Payment {
  return { ...none, budget: FALLBACK };
}

export function refused(refusal: ServiceError): Payment {
  return { ...none, refusal };
}

/** Whether a query takes from the budget. */
export function takes<Paid extends Pick<Payment, "budget">>(
  payment: Paid,
): payment is Paid & { readonly budget: string } {
  return payment.budget !== null && payment.budget !== FALLBACK;
}
