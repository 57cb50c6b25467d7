// The order in which a run of all tests starts its files. A long file that
// starts last keeps one core waiting, and files that wait leave a core to others.

import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Half a minute and more; beside one that computes, some that wait. */
const FIRST = [
  "test/servers/commands.test.ts",
  "test/servers/deploy.test.ts",
  "test/servers/sockets.test.ts",
  "test/model/history.test.ts",
  "test/servers/kill.test.ts",
  "test/servers/ingest-site.test.ts",
  "test/servers/identity-provider.test.ts",
  "test/servers/bounds.test.ts",
  "test/growth/answers.test.ts",
  "test/servers/full-disk.test.ts",
  "test/servers/conformance.test.ts",
  "test/growth/documents.test.ts",
  "test/servers/lost-readers.test.ts",
  "test/client/drops.test.ts",
  "test/servers/eval.test.ts",
  "test/thinking.test.ts",
  "test/servers/ingest.test.ts",
  "test/servers/model-streams.test.ts",
  "test/growth/model-streams.test.ts",
  "test/clients/belay-client.test.ts",
  "test/rewrite.test.ts",
  "test/clients/clients.test.ts",
  "test/user-object.test.ts",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

/** Files of one runtime come last, and together. */
function rank({ moduleId, project }: TestSpecification): number {
  if (!project.config.isolate) return FIRST.length + 1;
  const place = FIRST.indexOf(relative(project.vitest.config.root, moduleId));
  return place < 0 ? FIRST.length : place;
}
