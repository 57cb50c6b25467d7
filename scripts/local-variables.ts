// The variables of servers on this machine, which have no account and one
// reader. .dev.vars and --var override them. Pure.

export const LOCAL_VARIABLES = {
  GENERATOR: "extractive",
  EXTRACTIVE_TOKENS_PER_SECOND: "25",
  PING_INTERVAL_MS: "1000",
  DELIVERY_HOLD_MS: "100",
  ANONYMOUS_LIMIT: "20",
} as const;
