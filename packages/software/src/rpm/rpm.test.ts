// Reads databases that rpm itself made of a package built here; ndb and Berkeley DB hold the same header.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { temporaryFolder } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { Software } from "../software.ts";

const SPEC = `Name: sample
Epoch: 2
Version: 1.5
Release: 3
Summary: A package of tests
License: none
BuildArch: noarch
%description
Two files and a link.
%install
mkdir -p %{buildroot}/opt/sample/bin
echo tool > %{buildroot}/opt/sample/bin/tool
ln -s tool %{buildroot}/opt/sample/bin/link
%files
/opt/sample
`;

const SAMPLE = { manager: "rpm", name: "sample", version: "2:1.5-3", architecture: "noarch" } as const;
const DATABASE = "usr/lib/sysimage/rpm";

/** A root folder with a database that has the package; rpm made both. */
async function rootWithPackage(t: ExecutionContext): Promise<string> {
  const root = await temporaryFolder(t);
  writeFileSync(join(root, "sample.spec"), SPEC);
  const build = ["-bb", "--quiet", "--nodeps", "--define", `_topdir ${root}/build`, join(root, "sample.spec")];
  execFileSync("rpmbuild", build, { stdio: "ignore" });
  const file = join(root, "build/RPMS/noarch/sample-1.5-3.noarch.rpm");
  const dbpath = join(root, DATABASE);
  mkdirSync(dbpath, { recursive: true });
  const install = ["--dbpath", dbpath, "--justdb", "--nodeps", "--noscripts", "--ignoreos", "-i", file];
  execFileSync("rpm", install, { stdio: "ignore" });
  return root;
}

/** The package's header as rpm stored it. */
function headerIn(root: string): Buffer {
  const database = new DatabaseSync(join(root, DATABASE, "rpmdb.sqlite"), { readOnly: true });
  const blob = database.prepare("SELECT blob FROM Packages").get()?.blob;
  database.close();
  return Buffer.from(blob as Uint8Array);
}

function assertOwners(t: ExecutionContext, root: string): void {
  const software = new Software();
  t.deepEqual(software.owner("/opt/sample/bin/tool", root), { known: "package", package: SAMPLE });
  t.deepEqual(software.owner("/opt/sample/bin/link", root), { known: "package", package: SAMPLE });
  t.deepEqual(software.owner("/opt/sample/bin/other", root), { known: "no_package" });
  t.deepEqual(software.problems, []);
}

function plant(root: string, path: string, contents: Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), contents);
}

test("a database in SQLite, in ndb and in Berkeley DB", async (t) => {
  const root = await rootWithPackage(t);
  assertOwners(t, root);
  const header = headerIn(root);

  const ndb = await temporaryFolder(t);
  plant(ndb, "var/lib/rpm/Packages.db", ndbOf(header));
  assertOwners(t, ndb);

  const berkeley = await temporaryFolder(t);
  mkdirSync(join(berkeley, "var/lib/rpm"), { recursive: true });
  // rpm's keys are numbers of 4 bytes; that of 0 holds the next one. The header is larger than a page.
  const entries = [
    ["00000000", "02000000"],
    ["01000000", header.toString("hex")],
  ];
  const dump = `VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize=512\nHEADER=END\n${entries
    .flat()
    .map((value) => ` ${value}\n`)
    .join("")}DATA=END\n`;
  execFileSync("db5.3_load", [join(berkeley, "var/lib/rpm/Packages")], { input: dump });
  assertOwners(t, berkeley);
});

/** Packages.db with one package in its first slot. */
function ndbOf(header: Buffer): Buffer {
  const pageBytes = 4_096;
  const file = Buffer.alloc(pageBytes + 16 + header.length);
  file.write("RpmP", 0);
  file.writeUInt32LE(1, 12);
  file.write("Slot", 32);
  file.writeUInt32LE(1, 36);
  file.writeUInt32LE(pageBytes / 16, 40);
  file.write("BlbS", pageBytes);
  file.writeUInt32LE(header.length, pageBytes + 12);
  header.copy(file, pageBytes + 16);
  return file;
}

test("a file that another package replaced is not the package's", async (t) => {
  const root = await rootWithPackage(t);
  const header = headerIn(root);
  const entries = header.readUInt32BE(0);
  for (let at = 8; at < 8 + 16 * entries; at += 16) {
    // FILESTATES: a byte for /opt/sample, …/bin, …/bin/link, …/bin/tool; 1 is "replaced".
    if (header.readUInt32BE(at) === 1029) header[8 + 16 * entries + header.readUInt32BE(at + 8) + 3] = 1;
  }
  const changed = await temporaryFolder(t);
  plant(changed, "var/lib/rpm/Packages.db", ndbOf(header));
  const software = new Software();
  t.deepEqual(software.owner("/opt/sample/bin/tool", changed), { known: "no_package" });
  t.deepEqual(software.owner("/opt/sample/bin/link", changed), { known: "package", package: SAMPLE });
});

test("damaged and hostile databases are problems, and end", async (t) => {
  const root = await rootWithPackage(t);
  const header = headerIn(root);
  const loop = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n AS hnum, n AS blob FROM r";
  const hostile = join(await temporaryFolder(t), "rpmdb.sqlite");
  const database = new DatabaseSync(hostile);
  database.exec(`CREATE VIEW Packages AS ${loop}`);
  database.close();
  const real = readFileSync(join(root, DATABASE, "rpmdb.sqlite"));
  const samples: readonly (readonly [file: string, contents: Uint8Array, problem: RegExp])[] = [
    ["rpmdb.sqlite", readFileSync(hostile), /no table Packages as rpm makes it/],
    ["rpmdb.sqlite", Buffer.from("no database"), /not a database/],
    ["rpmdb.sqlite", real.subarray(0, real.length / 2), /malformed/],
    ["Packages.db", Buffer.alloc(64), /no database of rpm/],
    ["Packages.db", ndbOf(header.subarray(0, 100)), /header is damaged/],
    ["Packages.db", ndbOf(header).subarray(0, 4_096), /not there/],
    ["Packages", Buffer.alloc(4_096), /no Berkeley DB/],
  ];
  for (const [file, contents, problem] of samples) {
    const folder = await temporaryFolder(t);
    plant(folder, `var/lib/rpm/${file}`, contents);
    const software = new Software();
    t.deepEqual(software.owner("/opt/sample/bin/tool", folder), { known: "no_package" });
    t.regex(software.problems.join("\n"), problem);
  }
});
