// The types of <belay-ask>, for TypeScript and for JSX.

export interface BelayAskElement extends HTMLElement {
  /** A bearer token of the page's user, or a function that returns one. */
  token: string | (() => string | Promise<string>) | undefined;
  /** Resolves when the answer has ended. */
  ask(question: string): Promise<void>;
  open(): void;
  close(): void;
  clear(): void;
}

export interface BelayAskEvents {
  "belay-ask": CustomEvent<{ question: string }>;
  "belay-answer": CustomEvent<{
    queryId: string;
    finish: "stop" | "length";
    found: boolean;
    sources: number;
    charged: boolean | undefined;
  }>;
  "belay-error": CustomEvent<{ code: string; queryId: string | undefined }>;
  "belay-feedback": CustomEvent<{ queryId: string; rating: "up" | "down" | null }>;
  "belay-open": CustomEvent<undefined>;
  "belay-close": CustomEvent<undefined>;
}

declare global {
  interface HTMLElementTagNameMap {
    "belay-ask": BelayAskElement;
  }
  interface HTMLElementEventMap extends BelayAskEvents {}
}
