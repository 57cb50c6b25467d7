// What is on its way between users and the budget. A history decides what
// arrives, what is lost, and what comes late or twice.

/** A call that was sent. */
interface Message {
  /** Does at the receiver what was asked. */
  readonly run: () => Promise<unknown>;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
  /** Whether the sender still waits. */
  isAwaited: boolean;
  /** Whether the sender's process still runs. */
  readonly isAlive: () => boolean;
}

const MESSAGES_MAX = 40;

export class Network {
  readonly #messages: Message[] = [];

  /** Resolves with the reply once a step delivers it. */
  send<T>(run: () => T | Promise<T>, isAlive: () => boolean): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#messages.push({
      run: async () => run(),
      resolve: resolve as Message["resolve"],
      reject,
      isAwaited: true,
      isAlive,
    });
    return promise;
  }

  get size(): number {
    return this.#messages.length;
  }

  /** The reply may be lost. */
  async deliver(at: number, how: "whole" | "reply lost"): Promise<void> {
    const [message] = this.#messages.splice(at % this.#messages.length, 1);
    if (message !== undefined) await arrive(message, how);
  }

  /** The sender waits no longer, and the message may still arrive. */
  giveUp(at: number): void {
    const message = this.#messages[at % this.#messages.length];
    if (message === undefined || !message.isAwaited) return;
    message.isAwaited = false;
    if (message.isAlive()) message.reject(new Error("no answer"));
    // What never arrives is not kept for ever.
    if (this.#messages.length > MESSAGES_MAX) this.#messages.shift();
  }

  /** It arrives, and stays on its way. */
  async twice(at: number): Promise<void> {
    const message = this.#messages[at % this.#messages.length];
    if (message === undefined) return;
    await arrive(message, "whole");
    message.isAwaited = false;
  }

  async deliverAll(): Promise<void> {
    while (this.#messages.length > 0) await this.deliver(0, "whole");
  }
}

async function arrive(message: Message, how: "whole" | "reply lost"): Promise<void> {
  let reply: unknown;
  try {
    reply = await message.run();
  } catch (thrown) {
    if (message.isAwaited && message.isAlive()) message.reject(thrown as Error);
    return;
  }
  if (!message.isAwaited || !message.isAlive()) return;
  if (how === "whole") message.resolve(reply);
  else message.reject(new Error("the reply was lost"));
}
