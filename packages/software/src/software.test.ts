// Asks for owners in root folders that change, that are many, and that mean ill.
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { PathIndex } from "./path-index.ts";
import { RootFolder } from "./root/root-folder.ts";
import { LOOK_MS, SOFTWARE_LIMITS, Software } from "./software.ts";

const APK = `C:Q1abc=
P:busybox
V:1.36.1-r15
A:x86_64
S:509600
F:bin
M:0:0:1777
R:busybox
a:0:0:755
Z:Q1def=
R:sh
F:usr/share/udhcpc
R:default.script

P:alpine-baselayout
V:3.4.3-r2
A:x86_64
o:alpine-base
F:
R:.top

P:.build-deps
V:20240101
A:noarch
`;

function plantApk(root: string, text = APK): void {
  mkdirSync(join(root, "lib/apk/db"), { recursive: true });
  writeFileSync(join(root, "lib/apk/db/installed"), text);
}

const busybox = { manager: "apk", name: "busybox", version: "1.36.1-r15", architecture: "x86_64" } as const;

test("apk's database", async (t) => {
  const root = await temporaryFolder(t);
  plantApk(root);
  const software = new Software();
  t.deepEqual(software.owner("/bin/busybox", root), { known: "package", package: busybox });
  t.deepEqual(software.owner("/bin/sh", root), { known: "package", package: busybox });
  t.like(software.owner("/usr/share/udhcpc/default.script", root), { package: { name: "busybox" } });
  t.like(software.owner("/.top", root), { package: { name: "alpine-baselayout" } });
  t.deepEqual(software.owner("/sh", root), { known: "no_package" });
  const installed = software.installed(root)?.map(({ name, source }) => [name, source?.name]);
  t.deepEqual(installed, [
    ["busybox", undefined],
    ["alpine-baselayout", "alpine-base"],
    [".build-deps", undefined],
  ]);
});

test("no database is told from no owner", async (t) => {
  const root = await temporaryFolder(t);
  t.deepEqual(new Software().owner("/bin/sh", root), { known: "no_database" });
  t.is(new Software().installed(root), undefined);
});

test("what changed is read again, at most for a share of the time", async (t) => {
  const root = await temporaryFolder(t);
  plantApk(root);
  let now = 0;
  // A reading takes 10 ms on this clock.
  const software = new Software({ ...SOFTWARE_LIMITS, rereadShare: 0.001 }, () => (now += 10));
  t.like(software.owner("/bin/sh", root), { package: { version: "1.36.1-r15" } });
  plantApk(root, APK.replace("1.36.1-r15", "1.37.0-r0"));
  t.like(software.owner("/bin/sh", root), { package: { version: "1.36.1-r15" } });
  now += LOOK_MS;
  t.like(software.owner("/bin/sh", root), { package: { version: "1.36.1-r15" } });
  now += 10 / 0.001;
  t.like(software.owner("/bin/sh", root), { package: { version: "1.37.0-r0" } });
  t.is(software.counts.readings, 2);
});

test("containers of one image share what was read, and what is too much is forgotten", async (t) => {
  const root = await temporaryFolder(t);
  plantApk(root);
  const software = new Software();
  software.owner("/bin/sh", root, "container 1");
  software.owner("/bin/sh", root, "container 2");
  t.like(software.counts, { readings: 1, shared: 1 });
  t.is(software.bytes, 12 * 1_024);

  const small = new Software({ ...SOFTWARE_LIMITS, bytes: 20 * 1_024 });
  for (const text of ["1", "2", "3"]) {
    const other = await temporaryFolder(t);
    plantApk(other, APK.replace("1.36.1-r15", text));
    t.like(small.owner("/bin/sh", other), { package: { version: text } });
  }
  t.is(small.counts.forgotten, 2);
  t.true(small.bytes <= 20 * 1_024);
});

test("more files than allowed have no owner, and a problem says so", async (t) => {
  const root = await temporaryFolder(t);
  plantApk(root);
  const software = new Software({ ...SOFTWARE_LIMITS, filesOfRoot: 2 });
  t.like(software.owner("/bin/sh", root), { known: "package" });
  t.deepEqual(software.owner("/usr/share/udhcpc/default.script", root), { known: "no_package" });
  t.deepEqual(software.problems, ["packages have more than 2 files: the others have no owner"]);
});

test("links do not lead out of a root folder", async (t) => {
  const outside = await temporaryFolder(t);
  const root = await temporaryFolder(t);
  plantApk(outside);
  plantApk(join(root, "real"));
  mkdirSync(join(root, "lib/apk"), { recursive: true });
  symlinkSync(join(outside, "lib/apk/db"), join(root, "lib/apk/db"));
  t.deepEqual(new Software().owner("/bin/sh", root), { known: "no_database" });
  t.is(new Software().installed(root), undefined);

  const inside = await temporaryFolder(t);
  plantApk(join(inside, "data"));
  symlinkSync("../../../../../data/lib", join(inside, "lib"));
  t.deepEqual(new Software().owner("/bin/sh", inside), { known: "package", package: busybox });

  symlinkSync("circle", join(root, "circle"));
  t.is(new RootFolder(root).version("/circle/x"), "");
});

test("a FIFO in place of a database does not stop anybody", async (t) => {
  const root = await temporaryFolder(t);
  mkdirSync(join(root, "lib/apk/db"), { recursive: true });
  execFileSync("mkfifo", [join(root, "lib/apk/db/installed")]);
  const software = new Software();
  t.deepEqual(software.owner("/bin/sh", root), { known: "no_package" });
  t.deepEqual(software.problems, ["apk: /lib/apk/db/installed is no regular file"]);
});

test("a path index finds what is in it and nothing else", (t) => {
  const index = new PathIndex();
  for (let file = 0; file < 50_000; file++) index.add(`/usr/lib/${file}`, file);
  for (let file = 0; file < 50_000; file += 97) index.add(`/usr/lib/${file}`, 0);
  t.is(index.size, 50_000);
  for (let file = 0; file < 50_000; file++) {
    if (index.get(`/usr/lib/${file}`) !== file || index.get(`/usr/bin/${file}`) !== undefined) t.fail(`${file}`);
  }
  t.true(index.bytes <= 50_000 * 35);
});
