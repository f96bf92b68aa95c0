// A crash report says where and why, and nothing that an event carried.
import { deepStrictEqual } from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRedactor } from "@nightjar/redact";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { CRASH_REPORTS_MAX, crashReport, keepCrashReport, newestCrash, WITHOUT_A_WORD } from "./crash-report.ts";

const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;
const SECRET = "/home/ann/letter.txt";

function thrown(act: () => void): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("it did not throw");
}

function reportOf(error: unknown, logFile = "/nowhere") {
  const crash = { stage: "enricher", error, failuresInRow: 3, uptimeMs: 1_500.4, logFile };
  return crashReport(crash, createRedactor({ key: Buffer.alloc(32) }), NOW_MS);
}

test("it has the error, where it was thrown, and how often", (t) => {
  const report = reportOf(thrown(() => (undefined as unknown as { x: number }).x));
  t.is(report.error, "TypeError");
  t.regex(report.message, /^Cannot read properties of undefined/);
  t.regex(report.frames[0] ?? "", /^at .*crash-report\.test\.ts:\d+/);
  t.deepEqual([report.failuresInRow, report.uptimeMs, report.stage], [3, 1_500n, "enricher"]);
  t.is(reportOf(undefined).error, WITHOUT_A_WORD);
});

test("what an error says of the values it met is not in it", (t) => {
  const errors = [
    thrown(() => deepStrictEqual({ path: SECRET }, { path: "" })),
    new Error(`no such path "${SECRET}"`),
    new Error(`no such path '${SECRET}'\n${SECRET}`),
  ];
  for (const error of errors)
    t.false(JSON.stringify(reportOf(error), (_, value) => (typeof value === "bigint" ? 0 : value)).includes(SECRET));
});

test("of the log's last lines only what the sensor says by itself", (t) => {
  const log = join(temporaryFolder(t), "log");
  const line = (number: number) =>
    JSON.stringify({ timestamp: "T", level: "ERROR", fields: { message: `no ${number}`, code: "C", path: SECRET } });
  writeFileSync(log, `${Array.from({ length: 100 }, (_, at) => line(at)).join("\n")}\nno JSON ${SECRET}\n`);
  const { logLines } = reportOf(undefined, log);
  t.is(logLines.length, 30);
  t.is(logLines.at(-1), "T ERROR no 99 C");
});

test("the newest is told for an hour, and so many are kept", (t) => {
  const folder = temporaryFolder(t);
  t.is(newestCrash(folder, NOW_MS), undefined);
  for (let times = 0; times < CRASH_REPORTS_MAX + 3; times++) {
    const crash = { stage: "bus", error: new Error(`no ${times}`), failuresInRow: times, uptimeMs: 0, logFile: "" };
    keepCrashReport(folder, crashReport(crash, createRedactor({ key: Buffer.alloc(32) }), NOW_MS + times));
  }
  t.is(readdirSync(join(folder, "crashes")).length, CRASH_REPORTS_MAX);
  t.is(newestCrash(folder, NOW_MS)?.message, `no ${CRASH_REPORTS_MAX + 2}`);
  t.is(newestCrash(folder, NOW_MS + 2 * HOUR_MS), undefined);
  writeFileSync(join(folder, "crashes", "9.json"), "{");
  t.is(newestCrash(folder, NOW_MS), undefined, "one that cannot be read is none");
});
