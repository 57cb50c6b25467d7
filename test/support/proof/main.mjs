// For the runtimes that run a file: prints what the proof saw.

import { prove } from "./proof.mjs";

console.log(JSON.stringify(await prove(JSON.parse(process.argv[2]))));
