// Tested: which figures of a machine are too few, with machines made up, and one that is real.
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { HealthIssueSchema, StageStatusSchema } from "@nightjar/proto";
import { stageNames } from "@nightjar/stage";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { clockFound, clockSourceFound, diskFound, memoryFound, readDisk } from "./resources.ts";
import { stagesFound } from "./stages.ts";

const GIB = 1024 ** 3;

test("a disk that is nearly full, or has little room", (t) => {
  t.is(diskFound("/var", { usedPercent: 50, freeBytes: 5 * GIB }).code, undefined);
  t.is(diskFound("/var", { usedPercent: 95, freeBytes: 500 * GIB }).code, "DISK_SHORT");
  t.is(diskFound("/var", { usedPercent: 50, freeBytes: GIB / 2 }).code, "DISK_SHORT");
});

test("the disk of a folder that is not there yet is its parent's", (t) => {
  const folder = temporaryFolder(t);
  const there = readDisk(folder);
  const missing = readDisk(join(folder, "a", "b"));
  t.is(missing.usedPercent, there.usedPercent);
  t.true(missing.freeBytes > 0);
});

test("memory and clock", async (t) => {
  t.is(memoryFound(() => "MemTotal: 1 kB\nMemAvailable:    4000000 kB\n").code, undefined);
  t.is(memoryFound(() => "MemAvailable:    100000 kB\n").code, "MEMORY_SHORT");
  t.is(clockSourceFound(() => "tsc\n").code, undefined);
  t.is(clockSourceFound(() => "hpet\n").code, "CLOCK_SLOW");
  t.is((await clockFound(async () => "yes\n")).code, undefined);
  t.is((await clockFound(async () => "no\n")).code, "CLOCK_UNSYNCHRONISED");
  t.is((await clockFound(async () => "")).code, undefined);
});

test("stages that are silent, not ready, or say that something is wrong", (t) => {
  const healthIssues = [create(HealthIssueSchema, { code: "STREAM_FULL", message: "RAW is full" })];
  const found = stagesFound([
    create(StageStatusSchema, { stage: "bus", ready: true, healthIssues }),
    create(StageStatusSchema, { stage: "enricher", ready: false }),
  ]);
  const codes = (name: string) => found.filter(({ what }) => what === name).map(({ code }) => code);
  t.deepEqual(codes("bus"), [undefined, "HEALTH_ISSUE_OPEN"]);
  t.deepEqual(codes("enricher"), ["STAGE_NOT_READY"]);
  t.deepEqual(codes("collector"), ["STAGE_NOT_READY"]);
  t.is(found.length, stageNames.length + 1);
});
