// The entry: the Worker's handler and its Durable Objects.

import { handle } from "./edge/edge.ts";
import type { Env } from "./wiring.ts";

export {
  BudgetObject,
  CopyObject,
  CorpusObject,
  DirectoryObject,
  type Env,
  UserObject,
} from "./wiring.ts";

export default { fetch: handle } satisfies ExportedHandler<Env>;
