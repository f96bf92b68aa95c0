// Tested by what a person reads: a detection, a ledger, a table, and texts that try to steer the terminal.
import { Writable } from "node:stream";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  DropReason,
  ExecutableSchema,
  FileGap,
  LedgerEntrySchema,
  Ownership,
  PackageSchema,
  Priority,
  StoredDetectionSchema,
} from "@nightjar/proto";
import test from "ava";
import { Output } from "../output.ts";
import { sampleBatch } from "../testing.ts";
import { detectionJson, showDetection } from "./detection.ts";
import { batchJson } from "./events.ts";
import { ledgerJson, ledgerLines, ledgerRows, ledgerTotal } from "./ledger.ts";
import { crashReason, logLine } from "./log-line.ts";
import { printable } from "./text.ts";

function collect(options: { json?: boolean; color?: "always" | "never" } = {}) {
  let text = "";
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const streams = { stdout, stderr: stdout, stdin: process.stdin, env: {} };
  const output = new Output(streams, { json: options.json ?? false, color: options.color ?? "never" });
  return { output, read: () => text };
}

function sampleDetection() {
  const [bash, cat] = sampleBatch().processes;
  if (!bash || !cat) throw new Error("the sample has two processes");
  return create(StoredDetectionSchema, {
    cursor: 7n,
    detection: {
      id: "a".repeat(32),
      rule: "Read sensitive file",
      priority: Priority.WARNING,
      output: "cat read /etc/shadow\u001b[2J",
      time: timestampFromMs(Date.UTC(2026, 0, 2, 3, 4, 5, 6)),
      processes: [cat, bash],
    },
  });
}

test("a detection: time, severity, rule; the process and its ancestors; what it did", (t) => {
  const { output, read } = collect();
  showDetection(output, sampleDetection());
  const [first, second, third] = read().split("\n");
  t.regex(first ?? "", /^\d{4}-\d\d-\d\d \d\d:\d\d:05\.006 WARNING Read sensitive file {2}aaaaaaaa$/);
  t.is(second, "    cat /etc/shadow (pid 20, eve) ← bash (pid 10)");
  t.is(third, "    cat read /etc/shadow\\x1b[2J");
});

test("a detection says what was executed, or why that is not known", (t) => {
  const stored = sampleDetection();
  const { detection } = stored;
  const [cat] = detection?.processes ?? [];
  if (!detection || !cat) throw new Error("the sample has a process");
  const owner = create(PackageSchema, { manager: "dpkg", name: "coreutils", version: "9.1-1" });
  detection.executables = [
    create(ExecutableSchema, { sha256: new Uint8Array(32).fill(0xab), package: owner }),
    create(ExecutableSchema, { gap: FileGap.GONE, ownership: Ownership.NO_PACKAGE }),
  ];
  cat.executable = 1;
  detection.mapped = 2;
  const { output, read } = collect();
  showDetection(output, stored);
  const [, , file, mapped] = read().split("\n");
  t.is(file, `    sha256 ${"ab".repeat(32)}, coreutils 9.1-1 (dpkg)`);
  t.is(mapped, "    mapped: no sha256 (gone), of no package");
});

test("repeats: how often, until when, and expanded what they were like", (t) => {
  const stored = sampleDetection();
  const time = timestampFromMs(Date.UTC(2026, 0, 2, 3, 4, 9));
  const samples = [{ $typeName: "nightjar.detection.v1.Sample" as const, time, eventId: "", output: "cat read\u0007" }];
  Object.assign(stored.detection ?? {}, { count: 1200n, lastTime: time, samples });
  const short = collect();
  showDetection(short.output, stored);
  t.regex(short.read(), /\n {4}1.?200 times, the last at \d{4}-\d\d-\d\d \d\d:\d\d:09\.000\n$/);
  const long = collect();
  showDetection(long.output, stored, { expanded: true });
  t.regex(long.read(), /09\.000 cat read\\x07\n$/);
});

test("colours only where they are asked for", (t) => {
  const { output, read } = collect({ color: "always" });
  showDetection(output, sampleDetection());
  t.true(read().includes("\u001b[33mWARNING\u001b[0m"));
});

test("with JSON the lines for a person are left out", (t) => {
  const { output, read } = collect({ json: true });
  showDetection(output, sampleDetection());
  output.json(detectionJson(sampleDetection()));
  const { rule, priority, cursor, time } = JSON.parse(read());
  t.deepEqual([rule, priority, cursor, time], ["Read sensitive file", "WARNING", "7", "2026-01-02T03:04:05.006Z"]);
});

test("what a program calls itself cannot steer the terminal", (t) => {
  t.is(printable("a\u001b]0;x\u0007\n\u009b1m\u007fß"), "a\\x1b]0;x\\x07\\x0a\\x9b1m\\x7fß");
});

test("events by type and by process", (t) => {
  const count = (types: string[], processes: string[]) => batchJson(sampleBatch(), { types, processes }).length;
  t.is(count([], []), 2);
  t.is(count(["open"], []), 1);
  t.is(count([], ["cat"]), 2);
  t.is(count([], ["20"]), 2);
  t.is(count([], ["bash"]), 0);
});

test("a parent that leads in a circle ends", (t) => {
  const batch = sampleBatch();
  const [bash] = batch.processes;
  if (bash) bash.parent = 2;
  t.is(batchJson(batch).length, 2);
});

test("the ledger adds up, and says where it does not", (t) => {
  const drops = [{ reason: DropReason.RING_FULL, count: 2n }];
  const entries = [
    create(LedgerEntrySchema, { type: 32, seen: 16n, filtered: 3n, governed: 4n, folded: 2n, submitted: 5n, drops }),
    create(LedgerEntrySchema, { type: 35, seen: 1_000_000n, filtered: 999_999n, submitted: 0n }),
  ];
  const rows = ledgerRows(entries);
  t.deepEqual(ledgerJson(ledgerTotal(rows)), {
    type: "all",
    seen: 1_000_016,
    filtered: 1_000_002,
    governed: 4,
    folded: 2,
    submitted: 5,
    dropped: 2,
    drops: { ring_full: 2 },
    balances: false,
  });
  const [, exec, open] = ledgerLines(rows);
  t.regex(exec ?? "", /^exec +16 +3 +4 +2 +5 +2 +ring_full 2$/);
  t.regex(open ?? "", /^open +1,000,000 +999,999 +0 +0 +0 +0 +does not balance$/);
});

test("of a stage's log only errors are shown, with code and cause", (t) => {
  const line = (level: string) =>
    logLine(JSON.stringify({ level, fields: { message: "no room", error: "ENOSPC", code: "DISK_FULL" } }));
  t.is(line("ERROR"), "DISK_FULL: no room: ENOSPC");
  t.is(line("INFO"), undefined);
  t.is(logLine("plain text"), undefined);
});

test("why Node itself crashed is found in what it wrote", (t) => {
  const lines = ["file:1", "  throw err;", "", "TypeError: x is undefined", "    at file:1", "", "Node.js v24"];
  t.is(crashReason(lines), "TypeError: x is undefined");
  t.is(crashReason(['{"level":"INFO","fields":{}}']), undefined);
});
