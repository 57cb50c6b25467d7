// A listener: one connection that reads an answer. It holds the bytes, the
// heartbeats and every way to notice a disconnect. What a disconnect costs is
// decided in asks.ts.
//
// A disconnect shows as the first of: a write or a close that fails (its
// reason may be undefined, so it is never read), the request's signal, a
// deadline on each write. Each alone misses some. Nothing shows while nothing
// is written: hence the heartbeats.

import type { Chunk, Ending, Transcript } from "./transcript.ts";

/** What a listener writes. */
export interface Script {
  readonly transcript: Transcript;
  /**
   * The index of the transcript's first event that the reader does not have.
   */
  readonly from: number;
  /** Means nothing to the reader. */
  readonly heartbeat: string;
  /** The first write. It may be empty. */
  opening(quotaRemaining: number): string;
  /** The events from an index on that fit one write. */
  chunk(from: number): Chunk;
}

export interface ListenerLimits {
  readonly pingIntervalMs: number;
  readonly writeTimeoutMs: number;
  readonly deliveryHoldMs: number;
}

/**
 * After a write with a token, tokens gather for this long, in milliseconds: a
 * write costs as much as ten of them.
 */
const GATHER_MS = 5;

/** A shorter probe notices nothing, in milliseconds. */
const GRACE_MS_MIN = 20;

const encoder = new TextEncoder();

/**
 * How long a probe waits, in milliseconds: twice the round trip, where it is
 * known.
 */
function graceMsOf(roundTripMs: number | undefined, deliveryHoldMs: number): number {
  const wantedMs = roundTripMs === undefined ? deliveryHoldMs : 2 * roundTripMs;
  return Math.max(GRACE_MS_MIN, Math.min(deliveryHoldMs, wantedMs));
}

export class Listener {
  /**
   * Called once, if the client disconnects before the last write was
   * accepted.
   */
  onDisconnect: () => void = () => {};
  /** How it ends for this listener alone, whatever the run's ending is. */
  termination: Ending | undefined;
  readonly body: ReadableStream;
  /** How long a probe of it waits, in milliseconds. */
  readonly graceMs: number;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #limits: ListenerLimits;
  #disconnected = false;
  #ended = false;
  /** Resumes the one flow of this listener while it waits. */
  #wake: () => void = () => {};
  #release: () => void = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wroteAt = performance.now();
  #writing = false;
  #resting = false;
  #nudged = false;

  constructor(
    { signal, roundTripMs }: { signal: AbortSignal; roundTripMs: number | undefined },
    limits: ListenerLimits,
  ) {
    this.#limits = limits;
    this.graceMs = graceMsOf(roundTripMs, limits.deliveryHoldMs);
    // A TransformStream, or a ReadableStream of our own, never notices a
    // disconnect on workerd 1.20260619.1 to 1.20261012.1.
    const { readable, writable } = new IdentityTransformStream();
    this.body = readable;
    this.#writer = writable.getWriter();
    this.#writer.closed.catch(() => this.disconnect());
    if (signal.aborted) this.disconnect();
    else signal.addEventListener("abort", () => this.disconnect());
  }

  get isDisconnected(): boolean {
    return this.#disconnected;
  }

  /** The client is gone. No effect once the last write was accepted. */
  disconnect(): void {
    if (this.#disconnected || this.#ended) return;
    this.#disconnected = true;
    this.#stop();
    this.onDisconnect();
  }

  /** Ends it for this listener alone. The first termination counts. */
  terminate(ending: Ending): void {
    this.termination ??= ending;
    this.#wake();
  }

  /** Sends a heartbeat as soon as nothing else is to be written. */
  nudge(): void {
    this.#nudged = true;
    this.#wake();
  }

  #endingOf(transcript: Transcript): Ending | undefined {
    return this.termination ?? transcript.ending;
  }

  /**
   * Resolves with the ending, or undefined after a disconnect. Writes
   * nothing.
   */
  async wait(transcript: Transcript): Promise<Ending | undefined> {
    const unfollow = transcript.follow(() => this.#wake());
    while (!this.#disconnected && this.#endingOf(transcript) === undefined) await this.#sleep();
    unfollow();
    return this.#disconnected ? undefined : this.#endingOf(transcript);
  }

  /**
   * Writes the opening, then the transcript's events as they come. Resolves
   * with the ending, or undefined after a disconnect.
   */
  async follow(script: Script, quotaRemaining: number): Promise<Ending | undefined> {
    const { transcript } = script;
    this.#watch();
    const opening = script.opening(quotaRemaining);
    if (opening !== "") await this.#write(opening);
    const unfollow = transcript.follow(() => {
      if (!this.#resting) this.#wake();
    });
    for (let at = script.from; !this.#disconnected && this.termination === undefined; ) {
      if (at < transcript.length) {
        // Event 0 is the sources, so the first token never waits.
        if (at > 1 && transcript.ending === undefined) {
          await this.#rest(GATHER_MS - this.#silentMs());
        }
        const { bytes, next } = script.chunk(at);
        at = next;
        await this.#writeBytes(bytes);
      } else if (transcript.ending !== undefined) break;
      else if (this.#nudged || this.#silentMs() >= this.#limits.pingIntervalMs) {
        this.#nudged = false;
        await this.#write(script.heartbeat);
      } else await this.#sleep();
    }
    unfollow();
    return this.#disconnected ? undefined : this.#endingOf(transcript);
  }

  /**
   * Checks twice whether the connection is open: one write succeeds after a
   * clean close, and each proxy in between accepts one more.
   */
  async probe(heartbeat: string): Promise<void> {
    this.#watch();
    for (let beats = 0; beats < 2 && !this.#disconnected; beats += 1) {
      await this.#write(heartbeat);
      await this.#rest(this.graceMs / 2);
    }
  }

  /**
   * Writes the last bytes and closes. True if they were accepted: that is
   * delivery, so a close that fails afterwards changes nothing.
   * @param flushMs How long the bytes may take to leave this process.
   */
  async end(last: string, flushMs = 0): Promise<boolean> {
    this.#watch();
    await this.#write(last);
    if (this.#disconnected) return false;
    this.#ended = true;
    await this.#rest(flushMs);
    await this.#bounded(this.#writer.close());
    this.#stop();
    return true;
  }

  /** Ends the connection without a last write. */
  abandon(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stop();
  }

  #write(text: string): Promise<void> {
    return this.#writeBytes(encoder.encode(text));
  }

  async #writeBytes(bytes: Uint8Array): Promise<void> {
    if (this.#disconnected) return;
    await this.#bounded(this.#writer.write(bytes));
  }

  /** Waits for the writer. A write that fails or is late means a disconnect. */
  async #bounded(write: Promise<void>): Promise<void> {
    this.#wroteAt = performance.now();
    this.#writing = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#release = resolve;
    write.then(resolve, () => {
      this.disconnect();
      resolve();
    });
    await promise;
    this.#writing = false;
    this.#wroteAt = performance.now();
  }

  #sleep(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }

  async #rest(ms: number): Promise<void> {
    if (ms <= 0) return;
    this.#resting = true;
    const timer = setTimeout(() => {
      this.#resting = false;
      this.#wake();
    }, ms);
    while (this.#resting && !this.#disconnected) await this.#sleep();
    this.#resting = false;
    clearTimeout(timer);
  }

  #silentMs(): number {
    return performance.now() - this.#wroteAt;
  }

  /**
   * One timer for the connection: a timer for each write would cost more than
   * the rest of a token. It fires once a ping interval and checks for a late
   * write or a due ping.
   */
  #watch(): void {
    if (this.#timer !== undefined || this.#disconnected) return;
    const { writeTimeoutMs, pingIntervalMs } = this.#limits;
    const tick = () => {
      const due = (this.#writing ? writeTimeoutMs : pingIntervalMs) - this.#silentMs();
      if (due > 0) {
        // A write may begin before the tick, so the tick is never later than
        // its deadline.
        this.#timer = setTimeout(tick, Math.min(due, writeTimeoutMs));
      } else if (this.#writing) {
        this.disconnect();
        this.#stop();
      } else {
        this.#wake();
        this.#timer = setTimeout(tick, Math.min(pingIntervalMs, writeTimeoutMs));
      }
    };
    this.#timer = setTimeout(tick, Math.min(pingIntervalMs, writeTimeoutMs));
  }

  #stop(): void {
    clearTimeout(this.#timer ?? null);
    this.#wake();
    this.#release();
    // Fails after a disconnect or a close: the connection has ended then.
    this.#writer.abort().catch(() => {});
  }
}
