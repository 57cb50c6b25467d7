// Fetches pages within bounds: of bytes, time, rate and redirects. Private
// addresses are refused where they are connected to, so that no name, redirect
// or answer of DNS leads there.

import { lookup as dnsLookup } from "node:dns";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { innermostReason } from "../command.ts";

export interface Fetched {
  readonly status: number;
  /** After redirects. */
  readonly url: string;
  readonly type: string;
  readonly charset: string | undefined;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /** The `X-Robots-Tag` headers. */
  readonly robots: readonly string[];
  readonly bytes: Uint8Array;
}

/** What the server held when the page was fetched before. */
export interface Validators {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

export interface FetcherOptions {
  /** Addresses that are not connected to, such as private ones. */
  readonly refuses: (address: string) => boolean;
  /** Requests a second. */
  readonly rate: number;
  readonly signal: AbortSignal;
  readonly bytesMax?: number;
  readonly milliseconds?: number;
  /** Of the whole run. */
  readonly totalBytesMax?: number;
  readonly tries?: number;
  /** That of the system by default. */
  readonly lookup?: typeof dnsLookup;
}

/** The page cannot be had; the message says why. */
export class Unfetched extends Error {
  /** Whether it may be there another time. */
  readonly mayReturn: boolean;
  constructor(reason: string, mayReturn = true) {
    super(reason);
    this.mayReturn = mayReturn;
  }
}

export const AGENT = "Belay-Ingest";
const REDIRECTS_MAX = 5;
const BYTES_MAX = 20 * 1024 * 1024;
const TOTAL_BYTES_MAX = 2 * 1024 ** 3;
const MILLISECONDS = 30_000;
const TRIES = 3;
const RETRY_AFTER_MAX = 30;

const PRIVATE = new BlockList();
for (const [address, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const) {
  PRIVATE.addSubnet(address, bits, "ipv4");
}
for (const [address, bits] of [
  ["::", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
] as const) {
  PRIVATE.addSubnet(address, bits, "ipv6");
}

/** Not on the public internet. */
export function isPrivate(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return true;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isPrivate(mapped);
  return PRIVATE.check(address, family === 4 ? "ipv4" : "ipv6");
}

export class Fetcher {
  readonly #options: FetcherOptions;
  /** When the next request may start. */
  #next = 0;
  #interval: number;
  #total = 0;

  constructor(options: FetcherOptions) {
    this.#options = options;
    this.#interval = 1_000 / options.rate;
  }

  /** Why nothing more can be fetched in this run. */
  get exhausted(): string | undefined {
    const { totalBytesMax = TOTAL_BYTES_MAX } = this.#options;
    if (this.#total <= totalBytesMax) return undefined;
    return `the limit of ${sizeOf(totalBytesMax)} is reached`;
  }

  /** As robots.txt asks. */
  slowTo(seconds: number): void {
    this.#interval = Math.max(this.#interval, seconds * 1_000);
    this.#next = Math.max(this.#next, Date.now() + this.#interval);
  }

  /**
   * Throws Unfetched. Throws the signal's reason when the run is stopped.
   * @param mayGoTo Which addresses a redirect may lead to.
   */
  async get(
    start: string,
    validators: Validators = {},
    mayGoTo: (url: string) => boolean = () => true,
  ): Promise<Fetched> {
    const { tries = TRIES, signal } = this.#options;
    if (this.exhausted !== undefined) throw new Unfetched(`${this.exhausted}.`);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const fetched = await this.#follow(start, validators, mayGoTo);
        if ((fetched.status !== 429 && fetched.status < 500) || attempt >= tries) return fetched;
        await pause(Math.min(RETRY_AFTER_MAX, fetched.retryAfter ?? attempt) * 1_000, null, {
          signal,
        });
      } catch (error) {
        signal.throwIfAborted();
        const isFinal = error instanceof Unfetched;
        if (isFinal) throw error;
        if (attempt >= tries)
          throw new Unfetched(`it cannot be fetched: ${innermostReason(error)}.`);
        await pause(attempt * 200, null, { signal });
      }
    }
  }

  async #follow(start: string, validators: Validators, mayGoTo: (url: string) => boolean) {
    let url = start;
    const seen = new Set<string>();
    for (let hop = 0; ; hop += 1) {
      if (seen.has(url)) throw new Unfetched("its redirects lead in a circle.", false);
      seen.add(url);
      if (hop > REDIRECTS_MAX)
        throw new Unfetched(`it redirects more than ${REDIRECTS_MAX} times.`, false);
      await this.#turn();
      const answer = await this.#once(url, validators);
      if (answer.location === undefined) return answer;
      const next = URL.parse(answer.location, url);
      if (next === null || !/^https?:$/.test(next.protocol)) {
        throw new Unfetched("it redirects to no web address.", false);
      }
      next.hash = "";
      next.username = "";
      next.password = "";
      url = next.href;
      if (!mayGoTo(url)) throw new Unfetched(`it redirects out of the site, to ${url}.`, false);
    }
  }

  async #turn(): Promise<void> {
    const now = Date.now();
    const at = Math.max(now, this.#next);
    this.#next = at + this.#interval;
    if (at > now) await pause(at - now, null, { signal: this.#options.signal });
    this.#options.signal.throwIfAborted();
  }

  #once(
    url: string,
    { etag, lastModified }: Validators,
  ): Promise<Fetched & { location: string | undefined; retryAfter: number | undefined }> {
    const { refuses, signal, bytesMax = BYTES_MAX, milliseconds = MILLISECONDS } = this.#options;
    const { protocol, hostname } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, "");
    if (isIP(host) !== 0 && refuses(host)) throw privateAddress(host);
    // The connection goes to the address that was looked at here: no second
    // look-up may lead elsewhere.
    const { lookup: resolve = dnsLookup } = this.#options;
    const lookup: LookupFunction = (name, options, callback) => {
      resolve(name, { ...options, all: true }, (error, addresses) => {
        const list = addresses ?? [];
        const bad = list.find(({ address }) => refuses(address));
        if (error !== null) return callback(error, "", 4);
        if (bad !== undefined) return callback(privateAddress(host), "", 4);
        const [first] = list;
        if (options.all === true) callback(null, list);
        else callback(null, first?.address ?? "", first?.family ?? 4);
      });
    };
    return new Promise((resolve, reject) => {
      const stop = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]);
      const whyStopped = (): Error | undefined => {
        if (signal.aborted) return signal.reason as Error;
        if (!stop.aborted) return undefined;
        return new Unfetched(`it takes longer than ${milliseconds / 1_000} s.`);
      };
      const request = (protocol === "https:" ? httpsRequest : httpRequest)(
        url,
        {
          lookup,
          signal: stop,
          agent: false,
          headers: {
            "user-agent": `${AGENT}/1.0`,
            accept:
              "text/html, text/markdown, text/plain, application/xhtml+xml, application/pdf, */*;q=0.1",
            "accept-encoding": "gzip, deflate, br",
            ...(etag !== undefined && { "if-none-match": etag }),
            ...(lastModified !== undefined && { "if-modified-since": lastModified }),
          },
        },
        (response) => {
          const { headers, statusCode: status = 0 } = response;
          const [type = "", ...parameters] = (headers["content-type"] ?? "").split(";");
          const facts = {
            status,
            url,
            type: type.trim().toLowerCase(),
            charset: /charset=["']?([\w:-]+)/i.exec(parameters.join(";"))?.[1],
            etag: headers.etag,
            lastModified: headers["last-modified"],
            robots: response.headersDistinct["x-robots-tag"] ?? [],
            location: [301, 302, 303, 307, 308].includes(status) ? headers.location : undefined,
            retryAfter: Number(headers["retry-after"]) || undefined,
          };
          const fail = (error: Error) => {
            request.destroy();
            reject(whyStopped() ?? error);
          };
          if (facts.location !== undefined || status === 304) {
            request.destroy();
            return resolve({ ...facts, bytes: new Uint8Array() });
          }
          if (Number(headers["content-length"]) > bytesMax) return fail(tooLarge(bytesMax));
          const encoding = headers["content-encoding"]?.trim().toLowerCase();
          const decoder =
            encoding === "gzip" || encoding === "x-gzip"
              ? createGunzip()
              : encoding === "br"
                ? createBrotliDecompress()
                : encoding === "deflate"
                  ? createInflate()
                  : undefined;
          const body = decoder === undefined ? response : response.pipe(decoder);
          const chunks: Buffer[] = [];
          let length = 0;
          body.on("data", (chunk: Buffer) => {
            length += chunk.byteLength;
            this.#total += chunk.byteLength;
            if (length > bytesMax) return fail(tooLarge(bytesMax));
            if (this.exhausted !== undefined) return fail(new Unfetched(`${this.exhausted}.`));
            chunks.push(chunk);
          });
          body.on("end", () => resolve({ ...facts, bytes: Buffer.concat(chunks) }));
          body.on("error", fail);
          response.on("error", fail);
          response.on("aborted", () => fail(new Error("the connection was closed")));
        },
      );
      request.on("error", (error) => reject(whyStopped() ?? error));
      request.end();
    });
  }
}

function privateAddress(host: string): Unfetched {
  return new Unfetched(`${host} is a private address: --allow-private allows it.`, false);
}

function tooLarge(bytesMax: number): Unfetched {
  return new Unfetched(`it is larger than ${sizeOf(bytesMax)}.`);
}

function sizeOf(bytes: number): string {
  const mebibytes = Math.round(bytes / 1024 / 1024);
  return mebibytes < 1024 ? `${mebibytes} MiB` : `${mebibytes / 1024} GiB`;
}
