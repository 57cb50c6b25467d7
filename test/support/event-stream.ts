// Reads Belay's event streams in tests:
// each event is one `data:` line and a blank line.
// The clients of test/clients use parsers of their own.

import type { StreamEvent } from "../../src/protocol.ts";

const END = "\n\n";

/** The events that arrived whole. Throws on anything that is not our event. */
export function eventsIn(text: string): StreamEvent[] {
  return text.split(END).slice(0, -1).map(eventOf);
}

/** The event of one frame without its blank line. Throws if it is not ours. */
export function eventOf(frame: string): StreamEvent {
  if (!/^data: \{[^\r\n]*\}$/.test(frame)) throw new Error(`Not an event of ours: ${frame}`);
  return JSON.parse(frame.slice("data: ".length));
}

/**
 * The bytes of the first frame with its blank line,
 * or of everything if the frame is incomplete.
 */
export function frameLength(bytes: Uint8Array): number {
  const end = bytes.findIndex((byte, at) => byte === 10 && bytes[at + 1] === 10);
  return end === -1 ? bytes.length : end + END.length;
}

/** Matches the nth token that the scripted model makes up. */
export function nthToken(n: number) {
  return (event: StreamEvent) => event.type === "token" && event.token === `w${n - 1} `;
}

/** Where a body is cut: after some bytes, or some events other than pings. */
export interface CutPoint {
  readonly bytes?: number;
  readonly events?: number;
}

/** Whether the bytes passed on so far have reached the point. */
export function hasReached({ bytes, events = 0 }: CutPoint, passed: Uint8Array): boolean {
  if (bytes !== undefined) return passed.length >= bytes;
  const whole = new TextDecoder().decode(passed).split(END).slice(0, -1);
  return whole.filter((frame) => !frame.includes('"type":"ping"')).length >= events;
}
