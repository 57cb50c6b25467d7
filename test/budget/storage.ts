// One database for a whole simulation: each user has tables of their own in it,
// told apart by a prefix. The statements are those of src.

const TABLES = /\b(allowances|queries|settings)\b/g;

/** What the tables of users need of a database. */
export interface Sql {
  exec<T extends Record<string, SqlStorageValue>>(
    query: string,
    ...bindings: unknown[]
  ): SqlStorageCursor<T>;
}

/** A database in which each table's name begins with `prefix`. */
export function withPrefix(sql: SqlStorage, prefix: string): SqlStorage {
  const prefixed: Sql = {
    exec: <T extends Record<string, SqlStorageValue>>(query: string, ...bindings: unknown[]) =>
      sql.exec<T>(query.replace(TABLES, `${prefix}_$1`), ...bindings),
  };
  return prefixed as SqlStorage;
}
