// DirectoryObject: one for all users. It hears of each query after it is
// resolved, and shows operators what all users asked. No ask waits for it.

import { DurableObject } from "cloudflare:workers";
import { type IRequest, Router } from "itty-router";
import { Alarm } from "../alarm.ts";
import { userConfig, type Variables } from "../config.ts";
import { Database } from "../database.ts";
import { toServiceError } from "../errors.ts";
import { errorResponse } from "../formats/format.ts";
import { JSON_BODY, json } from "../formats/json.ts";
import { API_PREFIX } from "../protocol.ts";
import { type Directory, ORIGIN, type Position, type Report } from "../report.ts";
import { wholeParameter, wrongParameter } from "../request.ts";
import { Days } from "./days.ts";
import { DirectoryRetention } from "./directory-retention.ts";
import { DIRECTORY_SCHEMA } from "./directory-schema.ts";
import { Listings, type QueriesPage } from "./listings.ts";
import { type Entry, OperatorsLog } from "./operators-log.ts";
import { OperatorsReport, type StoredDocuments } from "./operators-report.ts";
import { cursor, LISTED, queriesPage, reportPage, totalsDays, usersPage } from "./parameters.ts";
import { Reports } from "./reports.ts";

/** The wait before the work of an alarm is tried again. */
const RETRY_MS = 30_000;
/** Between two batches, so that reports come in between. */
const BATCH_MS = 100;

/** Made in wiring.ts. */
export interface DirectoryParts {
  /** The limit of a user without one of their own. */
  limitOf(name: string): number;
  readonly documents: StoredDocuments;
}

export class DirectoryObject extends DurableObject<Variables> implements Directory {
  readonly #alarm: Alarm;
  readonly #database: Database;
  readonly #days: Days;
  readonly #reports: Reports;
  readonly #listings: Listings;
  readonly #log: OperatorsLog;
  readonly #report: OperatorsReport;
  readonly #retention: DirectoryRetention;

  readonly #router = Router<IRequest, []>({ base: `${API_PREFIX}/admin` })
    .get("/users", (request) => {
      const page = this.#listings.users(usersPage(parametersOf(request)));
      if (page === undefined) throw wrongParameter("after", "what the page before says");
      return json(page);
    })
    .get("/queries", (request) => this.#queries(queriesPage(parametersOf(request))))
    .get("/feedback", (request) => {
      const page = queriesPage(parametersOf(request));
      return this.#queries({ ...page, rating: page.rating ?? "any" });
    })
    .get("/totals", (request) => {
      const { since, until } = totalsDays(parametersOf(request), Date.now());
      return json(this.#listings.totals(since, until));
    })
    .get("/report", async (request) => {
      const page = reportPage(parametersOf(request), Date.now());
      return json(await this.#report.of(page, this.#sharesQueries()));
    })
    .get("/log", (request) => {
      const parameters = parametersOf(request);
      const limit = wholeParameter(parameters, "limit", LISTED);
      return json(this.#log.page(limit, cursor(parameters)));
    });

  constructor(ctx: DurableObjectState, env: Variables, parts: DirectoryParts) {
    super(ctx, env);
    const { sql } = ctx.storage;
    this.#alarm = new Alarm(ctx.storage);
    this.#database = new Database(ctx.storage, DIRECTORY_SCHEMA, "directory");
    this.#days = new Days(sql);
    this.#reports = new Reports(sql, this.#days);
    this.#listings = new Listings(sql, this.#days, (name) => parts.limitOf(name));
    this.#log = new OperatorsLog(sql);
    this.#report = new OperatorsReport(sql, this.#days, parts.documents);
    this.#retention = new DirectoryRetention(sql);
    if (this.#database.hasTables) ctx.blockConcurrencyWhile(() => this.#wake());
  }

  async #wake(): Promise<void> {
    await this.#alarm.recall();
    // If words were shared until now, they are deleted.
    if (!this.#sharesQueries() && this.#retention.hasWords()) this.#alarm.set(Date.now());
  }

  report(user: string, report: Report): Promise<Position> {
    const { shareQueries, retentionMs } = userConfig(this.env);
    const at = this.#write(() => this.#reports.apply(user, report, shareQueries));
    const oldest = report.queries[0]?.askedAt;
    if (oldest !== undefined) this.#alarm.set(Math.max(oldest + retentionMs, Date.now()) + 1);
    return Promise.resolve(at);
  }

  positionOf(user: string): Promise<Position> {
    this.#database.check();
    return Promise.resolve(this.#database.hasTables ? this.#reports.positionOf(user) : ORIGIN);
  }

  erase(user: string): Promise<boolean> {
    return Promise.resolve(this.#write(() => this.#reports.erase(user)));
  }

  /** Adds an entry to the operators' log. */
  note(entry: Entry): Promise<void> {
    return Promise.resolve(this.#write(() => this.#log.add(entry)));
  }

  override async fetch(request: Request): Promise<Response> {
    try {
      // A list of nothing needs the tables too.
      this.#write(() => this.#days.close(Date.now()));
      return await this.#router.fetch(request);
    } catch (thrown) {
      return errorResponse(toServiceError(thrown), JSON_BODY);
    }
  }

  /** Never throws: the runtime drops an alarm that keeps throwing. */
  override async alarm(): Promise<void> {
    this.#alarm.clear();
    try {
      const { retentionMs, shareQueries } = userConfig(this.env);
      const now = Date.now();
      const due = this.#write(() => this.#retention.prune(now, retentionMs, shareQueries));
      if (due !== undefined) this.#alarm.set(Math.max(due, now + BATCH_MS));
    } catch (thrown) {
      console.error("The directory's alarm failed and is tried again:", thrown);
      this.#alarm.set(Date.now() + RETRY_MS);
    }
  }

  /** All writes or none. */
  #write<T>(write: () => T): T {
    try {
      return this.#database.write(write);
    } catch (thrown) {
      this.#days.forget();
      throw thrown;
    }
  }

  /** Not while a variable is wrong. */
  #sharesQueries(): boolean {
    try {
      return userConfig(this.env).shareQueries;
    } catch {
      return false;
    }
  }

  #queries(page: QueriesPage): Response {
    return json(this.#listings.queries(page, this.#sharesQueries()));
  }
}

function parametersOf(request: Request): URLSearchParams {
  return new URL(request.url).searchParams;
}
