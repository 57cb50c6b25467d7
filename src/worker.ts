// The entry: the Worker's handler, and the classes of its objects.

import type { Env } from "./config.ts";
import { handle } from "./edge/edge.ts";

export type { Env } from "./config.ts";
export { CorpusObject } from "./corpus/corpus-object.ts";
export { UserObject } from "./user/user-object.ts";

export default { fetch: handle } satisfies ExportedHandler<Env>;
