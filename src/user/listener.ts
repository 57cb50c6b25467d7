// A listener: one connection that reads a transcript. It holds the bytes, the pings and every way to
// notice that the other end has left. What a leaver costs is decided in user-object.ts.
//
// Notices a leaver by whichever comes first, since each alone has a hole: a write or the close that
// fails (its reason may be undefined: it is never looked at), the request's signal, a deadline on
// each write. Nothing is noticed while nothing is written, so silence is broken by pings.

import { encodeEvent, type SourcesEvent, type TokenEvent } from "../protocol.ts";
import type { Ending, Transcript } from "./transcript.ts";

export interface ListenerLimits {
  readonly pingIntervalMs: number;
  readonly writeTimeoutMs: number;
}

/** In UTF-16 units, three bytes each at worst: a write stays below 64 KiB, unless one event is longer. */
const WRITE_LENGTH_MAX = 21 * 1024;
const PING = encodeEvent({ type: "ping" });

/** The shortest probe that can notice anybody, in ms. */
const HOLD_MS_MIN = 20;

const encoder = new TextEncoder();

/** How long a probe waits for signs of life, in ms: twice the round trip, where that is known. */
export function holdMs(
  roundTripMs: number | undefined,
  { deliveryHoldMs }: { readonly deliveryHoldMs: number },
): number {
  const wantedMs = roundTripMs === undefined ? deliveryHoldMs : 2 * roundTripMs;
  return Math.max(HOLD_MS_MIN, Math.min(deliveryHoldMs, wantedMs));
}

export class Listener {
  /** Called once, when the other end has left before its last event was accepted. */
  onLeave: () => void = () => {};
  /** How it ends for this listener alone, before the run has ended or after. */
  dismissal: Ending | undefined;
  readonly body: ReadableStream;
  /** How long a probe of it has to wait, in milliseconds. */
  readonly holdMs: number;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #limits: ListenerLimits;
  #left = false;
  #ended = false;
  /** Lets the one flow of this listener go on; set while it waits. */
  #wake: () => void = () => {};
  #release: () => void = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wroteAt = performance.now();
  #writing = false;
  #nudged = false;

  constructor(signal: AbortSignal, limits: ListenerLimits, holdMs: number) {
    this.#limits = limits;
    this.holdMs = holdMs;
    // Not a TransformStream or a ReadableStream of our own: on workerd 1.20260619.1 to 1.20261012.1
    // those never notice that a client left.
    const { readable, writable } = new IdentityTransformStream();
    this.body = readable;
    this.#writer = writable.getWriter();
    this.#writer.closed.catch(() => this.leave());
    if (signal.aborted) this.leave();
    else signal.addEventListener("abort", () => this.leave());
  }

  get left(): boolean {
    return this.#left;
  }

  /** Takes the other end for gone. No effect once the last event was accepted. */
  leave(): void {
    if (this.#left || this.#ended) return;
    this.#left = true;
    this.#stop();
    this.onLeave();
  }

  /** Ends this listener's part: this is what it is told last, unless it has been told something. */
  dismiss(ending: Ending): void {
    this.dismissal ??= ending;
    this.#wake();
  }

  /** Sends a ping as soon as nothing else is to be written: a closed connection shows only on a write. */
  nudge(): void {
    this.#nudged = true;
    this.#wake();
  }

  /** How it ends for this listener; undefined while it does not, or when it has left. */
  #endingOf(transcript: Transcript): Ending | undefined {
    return this.dismissal ?? transcript.ending;
  }

  /** Resolves with the ending, or with undefined if the listener has left. Nothing is written. */
  async wait(transcript: Transcript): Promise<Ending | undefined> {
    const unfollow = transcript.follow(() => this.#wake());
    while (!this.#left && this.#endingOf(transcript) === undefined) await this.#sleep();
    unfollow();
    return this.#left ? undefined : this.#endingOf(transcript);
  }

  /**
   * Writes the opening, then what the transcript holds and will hold from event `from` on. Resolves with
   * the ending, or with undefined if the listener has left.
   */
  async follow(opening: string, transcript: Transcript, from: number): Promise<Ending | undefined> {
    this.#watch();
    if (opening !== "") await this.#write(opening);
    const unfollow = transcript.follow(() => this.#wake());
    const { events } = transcript;
    for (let cursor = from; !this.#left && this.dismissal === undefined; ) {
      if (cursor < events.length) {
        const [chunk, next] = chunkAt(events, cursor);
        cursor = next;
        await this.#write(chunk);
      } else if (transcript.ending !== undefined) break;
      else if (this.#nudged || this.#silentMs() >= this.#limits.pingIntervalMs) {
        this.#nudged = false;
        await this.#write(PING);
      } else await this.#sleep();
    }
    unfollow();
    return this.#left ? undefined : this.#endingOf(transcript);
  }

  /**
   * Asks twice whether anybody is there: one write succeeds after a clean close, and each hop on the
   * way swallows one. `beat` must mean nothing to the reader.
   */
  async probe(beat: string): Promise<void> {
    this.#watch();
    for (let beats = 0; beats < 2 && !this.#left; beats += 1) {
      await this.#write(beat);
      await this.#rest(this.holdMs / 2);
    }
  }

  /**
   * Writes the last bytes and closes. True if they were accepted: leaving after that is delivery, so
   * that closing fails then changes nothing. `flushMs`: how long they may take to leave this process.
   */
  async end(last: string, flushMs = 0): Promise<boolean> {
    this.#watch();
    await this.#write(last);
    if (this.#left) return false;
    this.#ended = true;
    await this.#rest(flushMs);
    await this.#bounded(this.#writer.close());
    this.#stop();
    return true;
  }

  /** Ends the connection without a last event, for when nothing more can be said. */
  abandon(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stop();
  }

  async #write(text: string): Promise<void> {
    if (this.#left) return;
    await this.#bounded(this.#writer.write(encoder.encode(text)));
  }

  /** Waits for the writer; a failure, or one that takes too long, means that the other end has left. */
  async #bounded(write: Promise<void>): Promise<void> {
    this.#wroteAt = performance.now();
    this.#writing = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#release = resolve;
    write.then(resolve, () => {
      this.leave();
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
    const end = performance.now() + ms;
    for (let restMs = ms; restMs > 0 && !this.#left; restMs = end - performance.now()) {
      const timer = setTimeout(() => this.#wake(), restMs);
      await this.#sleep();
      clearTimeout(timer);
    }
  }

  #silentMs(): number {
    return performance.now() - this.#wroteAt;
  }

  /**
   * One timer for the whole connection, since a timer for each write would be the dearest part of a
   * token: it fires about once a ping interval, and looks whether a write is late or a ping is due.
   */
  #watch(): void {
    if (this.#timer !== undefined || this.#left) return;
    const { writeTimeoutMs, pingIntervalMs } = this.#limits;
    const tick = () => {
      const due = (this.#writing ? writeTimeoutMs : pingIntervalMs) - this.#silentMs();
      if (due > 0) {
        // A write may begin before the tick, so none is further away than a write's deadline.
        this.#timer = setTimeout(tick, Math.min(due, writeTimeoutMs));
      } else if (this.#writing) {
        this.leave();
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
    // Fails where the other end is gone already, or after a close: both are what is wanted.
    this.#writer.abort().catch(() => {});
  }
}

/** The events from `cursor` on that fit one write, as text, and the cursor behind them. */
function chunkAt(events: readonly (SourcesEvent | TokenEvent)[], cursor: number): [string, number] {
  let chunk = "";
  for (let next = cursor; next < events.length; next += 1) {
    const event = encodeEvent(events[next] as SourcesEvent | TokenEvent);
    if (chunk !== "" && chunk.length + event.length > WRITE_LENGTH_MAX) return [chunk, next];
    chunk += event;
  }
  return [chunk, events.length];
}
