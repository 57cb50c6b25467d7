// For workerd: answers with what the proof saw.

import { prove } from "./proof.mjs";

export default {
  fetch: async (request) => Response.json(await prove(await request.json())),
};
