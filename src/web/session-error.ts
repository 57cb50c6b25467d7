/** There is no session. The message tells the reader why. */
export class SessionError extends Error {
  /** Whether a retry is useless. */
  readonly closed: boolean;

  constructor(message: string, closed = false) {
    super(message);
    this.closed = closed;
  }
}
