// How full the disk is, as df has it, and from where to where it is called full.
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { isDiskFull, readDisk } from "./disk.ts";

test("the disk is read as df reads it", (t) => {
  const folder = temporaryFolder(t);
  const disk = readDisk(folder);
  t.true(disk.freeBytes > 0 && disk.usedPercent > 0 && disk.usedPercent < 100);
  t.true(isDiskFull({ freeBytes: 0, usedPercent: 96 }));
  t.false(isDiskFull({ freeBytes: 0, usedPercent: 95 }));
  t.true(isDiskFull({ freeBytes: 0, usedPercent: 94 }, true));
  t.false(isDiskFull({ freeBytes: 0, usedPercent: 93 }, true));
});
