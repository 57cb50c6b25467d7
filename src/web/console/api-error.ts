/** Why a request failed. The message is for the operator. */
export class ApiError extends Error {
  /** Undefined if there was no response. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

export function isNotFound(thrown: unknown): boolean {
  return thrown instanceof ApiError && thrown.status === 404;
}

/** For `catch`: what is not there counts as none. */
export function orNone<T>(none: T): (thrown: unknown) => T {
  return (thrown) => {
    if (isNotFound(thrown)) return none;
    throw thrown;
  };
}
