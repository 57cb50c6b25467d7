// Tests of what Belay promises, at random moments: one failure counts, also if the next try passes.

export const ONCE = { retry: 0 };
