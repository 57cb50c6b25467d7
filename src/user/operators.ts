// What operators see and change of one user. The edge has checked that the
// caller is an operator. What is seen and changed creates no user, except
// settings.

import { CHANGE_HEADER, json } from "../formats/json.ts";
import { encodeJson } from "../protocol.ts";
import { parseSettingsChange } from "./ask.ts";
import type { Asks } from "./asks.ts";
import { inspect, shownReceipt, shownWindow } from "./inspect.ts";
import type { QueryLog } from "./query-log.ts";
import type { Quota } from "./quota.ts";
import { unknownUser } from "./refusals.ts";
import type { Reporter } from "./reporter.ts";
import type { Reservations } from "./reservations.ts";
import type { Tables } from "./tables.ts";
import { userNameOf } from "./user-request.ts";

/** Queries that an export writes before it waits for its reader. */
const EXPORTED_AT_ONCE = 50;

export interface OperatorsParts {
  readonly storage: DurableObjectStorage;
  readonly tables: Tables;
  readonly asks: Asks;
  readonly quota: Quota;
  readonly log: QueryLog;
  readonly reservations: Reservations;
  readonly reporter: Reporter;
  sharesQueries(): boolean;
  body(request: Request): Promise<unknown>;
  /** Ends the runs and deletes all that is stored. */
  erase(): Promise<void>;
}

export class Operators {
  readonly #parts: OperatorsParts;

  constructor(parts: OperatorsParts) {
    this.#parts = parts;
  }

  async inspect(): Promise<Response> {
    const { storage, tables, asks, quota, sharesQueries } = this.#parts;
    if (!tables.exist) throw unknownUser();
    const alarmAt = await storage.getAlarm();
    return json(
      inspect({
        now: Date.now(),
        tables,
        runs: asks.runs,
        ...quota.limits(),
        shareQueries: sharesQueries(),
        alarmAt,
        storageBytes: storage.sql.databaseSize,
      }),
    );
  }

  async change(request: Request): Promise<Response> {
    const { tables, reporter, body } = this.#parts;
    const change = parseSettingsChange(await body(request));
    tables.create(userNameOf(request));
    tables.transaction(() => {
      tables.settings.change(change);
      tables.outbox.settingsChanged();
    });
    reporter.soon();
    const response = await this.inspect();
    response.headers.set(CHANGE_HEADER, encodeJson(change));
    return response;
  }

  /** An operator's own refund. The answer stays readable. */
  refundCharge(id: string): Response {
    const { tables, log, reservations, reporter, sharesQueries } = this.#parts;
    if (!tables.exist) throw unknownUser();
    const row = log.find(id);
    reservations.refundCharge(row.id);
    reporter.soon();
    return json(shownReceipt(log.find(row.id), sharesQueries()));
  }

  /** Erases the user here and in the directory. The second time: 404. */
  async erase(): Promise<Response> {
    const { tables, reporter, erase } = this.#parts;
    const { exist } = tables;
    if (exist) await erase();
    const wasReported = await reporter.erase();
    if (!exist && !wasReported) throw unknownUser();
    return new Response(null, { status: 204 });
  }

  /** All that is stored of the user, a JSON value on each line. */
  export(): Response {
    const { tables, quota } = this.#parts;
    if (!tables.exist) throw unknownUser();
    const { name, blocked } = tables.settings.get();
    const user = { user: name, ...quota.limits(), blocked: blocked === 1 };
    const windows = tables.ledger.windows().map(shownWindow);
    const encoder = new TextEncoder();
    const write = (value: unknown) => encoder.encode(`${encodeJson(value)}\n`);
    let last: number | undefined;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (last === undefined) controller.enqueue(write({ ...user, windows }));
        const page = this.#receiptsAfter(last ?? 0);
        for (const { receipt } of page) controller.enqueue(write(receipt));
        last = page.at(-1)?.number ?? last ?? 0;
        if (page.length < EXPORTED_AT_ONCE) controller.close();
      },
    });
    const headers = { "content-type": "application/x-ndjson", "cache-control": "no-store" };
    return new Response(body, { headers });
  }

  #receiptsAfter(number: number) {
    const { tables, sharesQueries } = this.#parts;
    const receipts = [];
    // The user may have been erased in between.
    const rows = tables.exist ? tables.outbox.queriesBetween(number, Number.MAX_SAFE_INTEGER) : [];
    for (const row of rows) {
      receipts.push({ number: row.number, receipt: shownReceipt(row, sharesQueries()) });
      if (receipts.length === EXPORTED_AT_ONCE) break;
    }
    return receipts;
  }
}
