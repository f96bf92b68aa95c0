// Reads rpm's database, whichever of its three formats it has: SQLite, ndb, or Berkeley DB as it was until rpm 4.16.
import { attempt, DATABASE_BYTES_MAX, type DatabaseFormat } from "../database.ts";
import { berkeleyHeaders } from "./berkeley.ts";
import { filesOf, readHeader } from "./header.ts";
import { ndbHeaders } from "./ndb.ts";
import { sqliteHeaders } from "./sqlite.ts";

/** Where distributions have it: Fedora and SUSE by now, rpm's own default, and ostree's images. */
const FOLDERS = ["/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm"];

/** A file's name and how to find the packages' headers in its contents, a row each. */
const FILES: readonly (readonly [file: string, headers: (contents: Buffer, log: Buffer) => Iterable<Uint8Array>])[] = [
  ["rpmdb.sqlite", sqliteHeaders],
  ["Packages.db", ndbHeaders],
  ["Packages", berkeleyHeaders],
];
/** What SQLite has not moved from its log into the database yet. */
const LOG = "-wal";

export const rpm: DatabaseFormat = {
  manager: "rpm",
  watched: FOLDERS.flatMap((folder) => [
    ...FILES.map(([file]) => `${folder}/${file}`),
    ...FILES.slice(0, 1).map(([file]) => `${folder}/${file}${LOG}`),
  ]),
  read(root, sink) {
    const problems: string[] = [];
    // One of the folders is often a link to another: what was read once is not read again.
    const seen = new Set<string>();
    for (const folder of FOLDERS) {
      for (const [file, headers] of FILES) {
        const path = `${folder}/${file}`;
        const version = root.version(path);
        if (version === "" || seen.has(version)) continue;
        seen.add(version);
        attempt(problems, () => {
          const contents = root.read(path, DATABASE_BYTES_MAX);
          const log = root.read(path + LOG, DATABASE_BYTES_MAX) ?? Buffer.alloc(0);
          for (const bytes of headers(contents ?? Buffer.alloc(0), log)) {
            const header = attempt(problems, () => readHeader(bytes));
            if (!header) continue;
            sink.installed(header.package);
            if (sink.file) for (const name of filesOf(header)) sink.file(name, header.package);
          }
        });
      }
    }
    return problems;
  },
};
