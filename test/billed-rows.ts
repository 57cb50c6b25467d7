// What Cloudflare bills of an object's storage: rows written, and each setting
// of the alarm.

import { runInDurableObject } from "cloudflare:test";

/** Counts from now on, in the instance that runs now. */
export async function billedRows(stub: DurableObjectStub): Promise<() => number> {
  return runInDurableObject(stub, (_object, { storage }) => {
    const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
    let alarms = 0;
    const exec = storage.sql.exec.bind(storage.sql);
    storage.sql.exec = ((...query: Parameters<typeof exec>) => {
      const cursor = exec(...query);
      cursors.push(cursor);
      return cursor;
    }) as typeof exec;
    const setAlarm = storage.setAlarm.bind(storage);
    storage.setAlarm = (at) => {
      alarms += 1;
      return setAlarm(at);
    };
    // A cursor counts while it is read, so its count is taken last.
    return () => cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, alarms);
  });
}
