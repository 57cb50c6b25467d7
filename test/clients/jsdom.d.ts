// The parts of jsdom that are used: it has no types.

declare module "jsdom" {
  export class JSDOM {
    constructor(html: string, options: { readonly url: string });
    readonly window: { readonly XMLHttpRequest: unknown; close(): void };
  }
}
