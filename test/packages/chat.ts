// A page with the AI SDK's `useChat` in it: real React on a document of jsdom,
// and the fetch of Node.

import { type UIMessage, type UseChatOptions, useChat } from "@ai-sdk/react";
import { DefaultChatTransport, type HttpChatTransportInitOptions } from "ai";
import { JSDOM } from "jsdom";
import { createElement } from "react";
import type { Root } from "react-dom/client";
import { vi } from "vitest";
import type { Finish, Source } from "../../src/protocol.ts";
import type { Customer } from "./site.ts";

/** What Belay adds to a message. */
export interface Metadata {
  readonly queryId: string;
  readonly quotaRemaining: number;
  readonly sources?: readonly Source[];
  readonly finish?: Finish;
  readonly found?: boolean;
  readonly error?: { readonly code: string; readonly message: string };
}

export type Message = UIMessage<Metadata>;

const { window } = new JSDOM("<!doctype html><title>A chat</title>", { pretendToBeVisual: true });
// React and the hook look for them when they are imported and used.
Object.assign(globalThis, { window, document: window.document });
const [{ createRoot }, { flushSync }] = await Promise.all([
  import("react-dom/client"),
  import("react-dom"),
]);

export class ChatPage {
  /** What the hook returned last. */
  readonly #seen: { chat?: ReturnType<typeof useChat<Message>> } = {};
  /** Each text of an answer that it showed. */
  readonly shown = new Set<string>();
  /** What was passed to `onError`. */
  readonly errors: Error[] = [];
  /** Renders the page, if anything has changed. */
  readonly #render: () => void;
  readonly #root: Root;

  private constructor(options: UseChatOptions<Message>) {
    const onError = (error: Error) => this.errors.push(error);
    const Page = () => {
      this.#seen.chat = useChat<Message>({ ...options, onError });
      this.shown.add(this.text);
      return null;
    };
    this.#root = createRoot(window.document.createElement("div"));
    this.#render = () => this.#root.render(createElement(Page));
    this.#render();
  }

  /** With the default transport: its `api`, and headers for the bearer token. */
  static async open(
    customer: Customer,
    {
      transport = {},
      ...options
    }: Partial<UseChatOptions<Message>> & {
      transport?: HttpChatTransportInitOptions<Message>;
    } = {},
  ): Promise<ChatPage> {
    const chat = {
      ...options,
      transport: new DefaultChatTransport<Message>({
        api: `${customer.url}/api/v1/ai/chat`,
        headers: { Authorization: `Bearer ${customer.key}` },
        fetch: customer.fetch,
        ...transport,
      }),
    };
    return ChatPage.with(chat as UseChatOptions<Message>);
  }

  static async with(options: UseChatOptions<Message>): Promise<ChatPage> {
    const page = new ChatPage(options);
    await vi.waitUntil(() => page.#seen.chat !== undefined, { interval: 1 });
    return page;
  }

  get chat(): ReturnType<typeof useChat<Message>> {
    if (this.#seen.chat === undefined) throw new Error("The page is not rendered yet.");
    return this.#seen.chat;
  }

  get answer(): Message | undefined {
    return this.chat.messages.findLast(({ role }) => role === "assistant");
  }

  /** The text of the last answer. */
  get text(): string {
    return textOf(this.answer);
  }

  /** Sends a message, and resolves once the chat has taken in its answer. */
  async send(text: string): Promise<void> {
    await this.chat.sendMessage({ text });
    await this.settled();
  }

  /** Resolves once the chat has taken in the answer that it resumes, if any. */
  async resume(): Promise<void> {
    await this.chat.resumeStream();
    await this.settled();
  }

  /** The same, of another answer to the last question. */
  async regenerate(): Promise<void> {
    await this.chat.regenerate();
    await this.settled();
  }

  /** Resolves once the hook shows that nothing is under way. */
  async settled(): Promise<void> {
    // React has not rendered yet what the chat has just been told.
    flushSync(() => this.#render());
    await vi.waitUntil(() => /ready|error/.test(this.chat.status), {
      timeout: 10_000,
      interval: 5,
    });
  }

  /** Resolves once the hook shows this text in an answer. */
  async shows(text: string): Promise<void> {
    await vi.waitUntil(() => this.text.includes(text), { timeout: 10_000, interval: 2 });
  }

  /** As a page that is closed or loaded again: the connection is closed. */
  close(): void {
    this.#root.unmount();
  }

  /** The user comes back to the page. */
  static becomeVisible(): void {
    window.document.dispatchEvent(new window.Event("visibilitychange"));
  }
}

export function textOf(message: Message | undefined): string {
  const parts = message?.parts ?? [];
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}
