// Tests how much disk the streams get, and when a person is told that it is too little.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { streams } from "@nightjar/stage";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { budgetOf, folderBytes, streamBytes } from "./disk.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

test("a derived budget is a tenth of what is free, between its bounds", (t) => {
  t.deepEqual(budgetOf(0, 10 * GIB, 0), { bytes: GIB });
  t.deepEqual(budgetOf(0, 500 * GIB, 0), { bytes: 4 * GIB });
  t.deepEqual(budgetOf(0, 200 * MIB, 0), { bytes: 64 * MIB });
});

test("what the streams take already is not taken for lost", (t) => {
  t.deepEqual(budgetOf(0, 9 * GIB, GIB), { bytes: GIB });
});

test("a budget the disk cannot hold is said", (t) => {
  t.regex(budgetOf(0, 50 * MIB, 0).shortage ?? "", /may need 64 MiB, it has 50 MiB/);
  t.regex(budgetOf(GIB, 100 * MIB, 0).shortage ?? "", /may need 1024 MiB, it has 100 MiB/);
});

test("the shares of the streams fit the budget", (t) => {
  const sizes = [...streamBytes(streams, GIB).values()];
  t.is(sizes.length, streams.length);
  t.true(sizes.every((bytes) => bytes > 0));
  t.true(sizes.reduce((sum, bytes) => sum + bytes, 0) <= GIB);
});

test("a folder's bytes on disk are counted", (t) => {
  const folder = temporaryFolder(t);
  t.is(folderBytes(join(folder, "none")), 0);
  writeFileSync(join(folder, "file"), Buffer.alloc(MIB, 1));
  t.true(folderBytes(folder) >= MIB);
});
