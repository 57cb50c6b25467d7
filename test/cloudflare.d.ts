// What `cloudflare:workers` gives to tests: the bindings of wrangler.toml, the variables of
// vitest.config.ts, and the Worker's own exports.

declare namespace Cloudflare {
  interface Env {
    readonly USERS: DurableObjectNamespace<import("../src/worker.ts").UserObject>;
    readonly CORPUS: DurableObjectNamespace<import("../src/worker.ts").CorpusObject>;
    readonly COPIES: DurableObjectNamespace<import("../src/worker.ts").CopyObject>;
    readonly DIRECTORY: DurableObjectNamespace<import("../src/worker.ts").DirectoryObject>;
    readonly BUDGET: DurableObjectNamespace<import("../src/worker.ts").BudgetObject>;
    readonly AUTH_SECRET: string;
    readonly OPENAI_BASE_URL: string;
    readonly EMBEDDING_URL: string;
  }
  interface GlobalProps {
    mainModule: typeof import("../src/worker.ts");
  }
}
