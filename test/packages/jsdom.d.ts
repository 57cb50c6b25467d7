// The part of it that chat.ts needs. Its own types are a package apart.

declare module "jsdom" {
  export class JSDOM {
    constructor(html: string, options?: { readonly pretendToBeVisual?: boolean });
    readonly window: Window & typeof globalThis;
  }
}
