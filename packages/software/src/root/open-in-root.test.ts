// Files below a root that is full of traps: links out of it, pipes, devices, folders that are exchanged meanwhile.
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { openInRoot } from "./open-in-root.ts";
import { NotReadable } from "./walk.ts";

async function read(root: string, path = "/etc/passwd"): Promise<string> {
  await using file = await openInRoot(root, path);
  return (await file.readFile()).toString();
}

/** A root with a file below it, and beside it what must not be reached. */
function furnish(t: ExecutionContext): { root: string; outside: string } {
  const folder = temporaryFolder(t);
  const [root, outside] = [join(folder, "root"), join(folder, "outside")];
  for (const path of [join(root, "etc"), join(root, "data"), outside]) mkdirSync(path, { recursive: true });
  writeFileSync(join(root, "data/passwd"), "inside");
  writeFileSync(join(outside, "passwd"), "outside");
  writeFileSync(join(folder, "passwd"), "outside");
  return { root, outside };
}

const GOOD: readonly (readonly [target: string, at: string])[] = [
  ["/data/passwd", "etc/passwd"],
  ["../data/passwd", "etc/passwd"],
  ["../../../../data/passwd", "etc/passwd"],
  ["/../data/./passwd", "etc/passwd"],
];

for (const [target, at] of GOOD) {
  test(`a link to ${target} is followed below the root`, async (t) => {
    const { root } = furnish(t);
    symlinkSync(target, join(root, at));
    t.is(await read(root), "inside");
  });
}

test("a folder on the way may be a link too", async (t) => {
  const { root } = furnish(t);
  symlinkSync("/data", join(root, "alias"));
  t.is(await read(root, "/alias/passwd"), "inside");
});

test("nothing leads out", async (t) => {
  const { root, outside } = furnish(t);
  for (const [at, target] of Object.entries({ a: outside, b: "../../outside", c: "/proc/self/root", d: "/.." })) {
    symlinkSync(target, join(root, at));
    await t.throwsAsync(read(root, `/${at}/passwd`), { instanceOf: NotReadable }, at);
  }
  await t.throwsAsync(read(root, "/../passwd"), { instanceOf: NotReadable });
});

test("what is no regular file is not opened", async (t) => {
  const { root } = furnish(t);
  execFileSync("mkfifo", [join(root, "etc/passwd")]);
  symlinkSync("/circle", join(root, "circle"));
  for (const path of ["/etc/passwd", "/etc", "/circle", "/none", "/data/passwd/x", "/etc/passwd/x"])
    await t.throwsAsync(read(root, path), { instanceOf: NotReadable }, path);
  await t.throwsAsync(read("/", "/dev/null"), { instanceOf: NotReadable });
  await t.throwsAsync(read(join(root, "gone")), { instanceOf: NotReadable });
});

test("a path with steps without end is given up", async (t) => {
  const { root } = furnish(t);
  await t.throwsAsync(read(root, `/${"data/../".repeat(200)}data/passwd`), { instanceOf: NotReadable });
});

test.serial("no descriptor stays open", async (t) => {
  const { root } = furnish(t);
  symlinkSync("/data/passwd", join(root, "etc/passwd"));
  const before = (await readdir("/proc/self/fd")).length;
  for (let round = 0; round < 20; round++) {
    await read(root);
    await t.throwsAsync(read(root, "/etc/../etc/none"));
  }
  t.true((await readdir("/proc/self/fd")).length <= before + 1);
});
