// The binding SESSION_RATE for plain workerd, which has none of its own. It
// runs inside workerd. One process serves all requests, so it counts exactly.

class SessionRate {
  #limit;
  #periodMs;
  #counts = new Map();
  #endsAt = 0;

  /**
   * @param {number} limit
   * @param {number} periodSeconds
   */
  constructor(limit, periodSeconds) {
    this.#limit = limit;
    this.#periodMs = periodSeconds * 1000;
  }

  /** @param {{ key: string }} options */
  async limit({ key }) {
    const now = Date.now();
    // A clock that was set back begins a new period too.
    if (now >= this.#endsAt || now < this.#endsAt - this.#periodMs) {
      this.#counts.clear();
      this.#endsAt = now + this.#periodMs;
    }
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return { success: count <= this.#limit };
  }
}

/** @param {{ limit: number, period: number }} env */
export default function sessionRate(env) {
  return new SessionRate(env.limit, env.period);
}
