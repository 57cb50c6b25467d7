// The schema of a database: its tables, its version, and the numbered
// migrations that bring an older database up to date. A database is migrated
// when its object wakes, before anything is read from it.

/** Brings a database from one version to the next, inside a transaction. */
export type Migration = (sql: SqlStorage) => void;

// SQLite's own user_version is not authorized in a Durable Object.
const VERSION_TABLE = `
  CREATE TABLE schema_version (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL
  ) STRICT;
`;

export class Schema {
  readonly #tables: string;
  readonly #markerTable: string;
  readonly #migrations: readonly Migration[];

  /**
   * @param tables The statements that make the tables of the newest version.
   * @param markerTable A table that every version has.
   * @param migrations The first brings version 1 to 2. Version 1 stored no
   * version.
   */
  constructor(tables: string, markerTable: string, migrations: readonly Migration[]) {
    this.#tables = tables;
    this.#markerTable = markerTable;
    this.#migrations = migrations;
  }

  get version(): number {
    return this.#migrations.length + 1;
  }

  /** Makes the tables of a new database; call it in a transaction. */
  create(sql: SqlStorage): void {
    sql.exec(`${this.#tables} ${VERSION_TABLE}
      INSERT INTO schema_version VALUES (1, ${this.version});`);
  }

  /**
   * Brings a database up to date, and returns whether it has tables. Throws,
   * and changes nothing, if a migration fails or a newer release wrote it.
   */
  open(storage: DurableObjectStorage): boolean {
    const { sql } = storage;
    const version = this.#versionOf(sql);
    if (version === undefined) return false;
    if (version > this.version) {
      throw new Error(
        `This database has schema version ${version}, and this release knows versions up to ` +
          `${this.version}. Deploy the release that wrote it, or a later one.`,
      );
    }
    if (version < this.version) storage.transactionSync(() => this.#migrate(sql, version));
    return true;
  }

  #versionOf(sql: SqlStorage): number | undefined {
    const tables = sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE name IN (?, 'schema_version')",
        this.#markerTable,
      )
      .toArray();
    if (!tables.some(({ name }) => name === this.#markerTable)) return undefined;
    if (!tables.some(({ name }) => name === "schema_version")) return 1;
    return sql.exec<{ version: number }>("SELECT version FROM schema_version").one().version;
  }

  #migrate(sql: SqlStorage, from: number): void {
    for (const migration of this.#migrations.slice(from - 1)) migration(sql);
    if (from === 1) {
      sql.exec(VERSION_TABLE);
      sql.exec("INSERT INTO schema_version VALUES (1, ?)", this.version);
    } else sql.exec("UPDATE schema_version SET version = ?", this.version);
  }
}

/** Adds a column unless the table has it. */
export function addColumn(sql: SqlStorage, table: string, column: string, type: string): void {
  const columns = sql
    .exec<{ name: string }>("SELECT name FROM pragma_table_info(?)", table)
    .toArray();
  if (columns.some(({ name }) => name === column)) return;
  sql.exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
}
