// Finds the headers in rpmdb.sqlite. SQLite works on a copy of our own: a database that belongs to somebody else is
// neither locked nor written to, as SQLite would even to read it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const COLUMNS = ["hnum", "blob"];

/**
 * The headers of all packages. `log` is the database's write-ahead log, empty where it has none.
 * @throws Error of SQLite where it is no database, RangeError where it is none of rpm's.
 */
export function* sqliteHeaders(contents: Buffer, log: Buffer): Generator<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "nightjar-rpm-"));
  try {
    const path = join(folder, "rpmdb.sqlite");
    writeFileSync(path, contents, { mode: 0o600 });
    if (log.length > 0) writeFileSync(`${path}-wal`, log, { mode: 0o600 });
    const database = new DatabaseSync(path, { allowExtension: false });
    try {
      database.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;");
      assertTable(database);
      for (const { blob } of database.prepare("SELECT blob FROM Packages").iterate()) {
        if (blob instanceof Uint8Array) yield blob;
      }
    } finally {
      database.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A view by that name, or a column that is worked out, would run what whoever wrote the database put into it. */
function assertTable(database: DatabaseSync): void {
  const table = database.prepare("SELECT type, rootpage FROM sqlite_schema WHERE name = 'Packages'").get();
  const columns = database.prepare("PRAGMA table_xinfo(Packages)").all();
  const isPlain = columns.every(({ name, hidden }) => hidden === 0 && COLUMNS.includes(String(name)));
  if (table?.type !== "table" || !(Number(table.rootpage) > 0) || columns.length !== COLUMNS.length || !isPlain) {
    throw new RangeError("rpmdb.sqlite has no table Packages as rpm makes it");
  }
}
