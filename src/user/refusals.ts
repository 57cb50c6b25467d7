// The refusals of a user object: each message tells the caller what to do.
// When they are thrown is decided in asks.ts and user-object.ts; keys.ts and
// quota.ts have their own.

import { ServiceError } from "../errors.ts";

export function blocked(): ServiceError {
  return new ServiceError("BLOCKED", "This user is blocked. Ask the operator.");
}

/** `seconds`: when to ask again. */
export function tooManyRuns(limit: number, seconds: number): ServiceError {
  return tooManyStreams(
    `At most ${limit} answers at a time: let one finish, or stop it, and ask again.`,
    seconds,
  );
}

export function tooManyListeners(limit: number): ServiceError {
  return tooManyStreams(
    `At most ${limit} connections may read one answer: close one, and come again.`,
  );
}

export function tooManyReplays(): ServiceError {
  return tooManyStreams("Too many answers are being read again. Let one finish, and come again.");
}

function tooManyStreams(message: string, seconds = 1): ServiceError {
  return new ServiceError("TOO_MANY_STREAMS", message, {
    headers: { "retry-after": `${seconds}` },
  });
}

export function tooManyFailures(seconds: number): ServiceError {
  return new ServiceError(
    "UNAVAILABLE",
    `Too many answers failed just now. Ask again in ${seconds} s.`,
    { headers: { "retry-after": `${seconds}` } },
  );
}

export function storageOut(): ServiceError {
  return new ServiceError(
    "UNAVAILABLE",
    "Nothing can be stored just now. Nothing was charged; what is stored can be read. Ask again later.",
    { headers: { "retry-after": "10" } },
  );
}

/** `endsAt`: of the budget's period, in ms since the epoch. */
export function budgetExceeded(endsAt: number | null, now: number): ServiceError {
  const resetsAt = endsAt === null ? null : new Date(endsAt).toISOString();
  const renews = resetsAt === null ? "It does not renew" : `It renews at ${resetsAt}`;
  const seconds = endsAt === null ? undefined : Math.max(1, Math.ceil((endsAt - now) / 1000));
  return new ServiceError(
    "BUDGET_EXCEEDED",
    `The budget of this service is used up. ${renews}, unless its operator raises it. You were not charged.`,
    {
      body: { resetsAt },
      headers: {
        // SDKs in wide use would ask twice more.
        "x-should-retry": "false",
        ...(seconds !== undefined && { "retry-after": `${seconds}` }),
      },
    },
  );
}

export function budgetUnavailable(): ServiceError {
  return new ServiceError(
    "UNAVAILABLE",
    "The budget of this service could not be asked just now. You were not charged; ask again.",
    { headers: { "retry-after": "2" } },
  );
}

export function notUpToDate(): ServiceError {
  return new ServiceError(
    "UNAVAILABLE",
    "The stored data is of another release. Nothing was changed or charged. The operator of this deployment has to deploy the release that wrote it.",
    { headers: { "retry-after": "60" } },
  );
}

/** A run that was stopped while its refund was still allowed. */
export function stopped(): ServiceError {
  return cancelled("The answer was stopped. You were not charged.");
}

/** A run that was stopped past the refund allowance. */
export function finishedWithoutYou(): ServiceError {
  return cancelled(
    "Your refunds of this window are used up: the answer is finished, charged, and kept for you to read.",
  );
}

export function erased(): ServiceError {
  return cancelled("The operator erased this user.");
}

function cancelled(message: string): ServiceError {
  // Asking again would be what the user has just stopped.
  return new ServiceError("CANCELLED", message, { headers: { "x-should-retry": "false" } });
}

export function notKept(): ServiceError {
  return new ServiceError(
    "NOT_KEPT",
    "This answer was refunded or deleted, or is older than answers are kept. Ask again.",
  );
}

/** An ask under the key of an answer that was charged, and then deleted. */
export function deletedAnswer(): ServiceError {
  return new ServiceError(
    "NOT_KEPT",
    "The answer to this Idempotency-Key was deleted. Ask again with a new key.",
  );
}

export function notFinished(): ServiceError {
  return new ServiceError(
    "NOT_FINISHED",
    "This answer is still being written. Stop it or let it finish, and delete it then.",
  );
}

export function noQuery(): ServiceError {
  return new ServiceError("NOT_FOUND", "There is no query with this id here. Check the id.");
}

export function unknownUser(): ServiceError {
  return new ServiceError("NOT_FOUND", "Unknown user. Check the name.");
}
