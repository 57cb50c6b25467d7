// Counts the SQL rows that some work reads and writes, as Cloudflare bills them.

export async function rowsOf(
  sql: SqlStorage,
  work: () => unknown,
): Promise<{ readonly read: number; readonly written: number }> {
  const exec = sql.exec;
  const cursors: SqlStorageCursor<never>[] = [];
  sql.exec = ((query: string, ...bindings: unknown[]) => {
    const cursor = exec.call(sql, query, ...bindings) as SqlStorageCursor<never>;
    cursors.push(cursor);
    return cursor;
  }) as typeof sql.exec;
  try {
    await work();
  } finally {
    sql.exec = exec;
  }
  // A cursor counts while it is read, so its count is taken last.
  return {
    read: cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0),
    written: cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0),
  };
}
