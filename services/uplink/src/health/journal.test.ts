// The journal against stages that raise, resolve, die and come back, and against its own death.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type HealthIssue,
  HealthIssueSchema,
  HealthResolution,
  HealthSeverity,
  type StageStatus,
  StageStatusSchema,
} from "@nightjar/proto";
import test from "ava";
import { type Entry, HealthJournal } from "./journal.ts";
import { COUNT_TOLD_MS_MIN, JOURNAL_ISSUES_MAX, STAGE_GONE_MS } from "./limits.ts";
import { entriesFromJson, entriesToJson } from "./state-file.ts";

const START_MS = 1_800_000_000_000;

let serial = 0;

function issue(fields: Partial<Omit<HealthIssue, "$typeName">> = {}): HealthIssue {
  serial++;
  const id = serial.toString(16).padStart(32, "0");
  const now = timestampFromMs(START_MS);
  return create(HealthIssueSchema, {
    ...{ id, code: "DISK_FULL", severity: HealthSeverity.ERROR, message: "the disk is full" },
    ...{ count: 1n, stage: "collector", since: now, lastSeen: now },
    ...fields,
  });
}

function resolved(one: HealthIssue, atMs = START_MS): HealthIssue {
  return { ...one, resolvedAt: timestampFromMs(atMs), resolution: HealthResolution.RESOLVED };
}

function status(instance: string, healthIssues: HealthIssue[], pastHealthIssues: HealthIssue[] = []): StageStatus {
  return create(StageStatusSchema, { stage: "collector", instance, ready: true, healthIssues, pastHealthIssues });
}

function journalWith(entries: readonly Entry[] = []) {
  const kept = { entries, saves: 0, dropped: 0 };
  const journal = new HealthJournal({
    entries,
    redact: (one) => ({ ...one, message: one.message.replace("hunter2", "(secret)") }),
    save: (now) => {
      kept.entries = entriesFromJson(JSON.parse(JSON.stringify(entriesToJson(now))));
      kept.saves++;
    },
    dropped: (count) => (kept.dropped += count),
  });
  /** What is told, and answered. */
  const tell = () => {
    const told = journal.pending(JOURNAL_ISSUES_MAX);
    journal.confirm(told);
    return told;
  };
  return { journal, kept, tell };
}

test("opened and resolved between two looks: told all the same, once", (t) => {
  const { journal, tell } = journalWith();
  const past = resolved(issue());
  journal.observe([status("a", [], [past])], START_MS);
  const [told] = tell();
  t.deepEqual([told?.id, told?.resolution], [past.id, HealthResolution.RESOLVED]);
  journal.observe([status("a", [], [past])], START_MS + 1);
  t.deepEqual(tell(), []);
});

test("opened and resolved while the portal was away, over the uplink's death: told in full", (t) => {
  const before = journalWith();
  const open = issue();
  before.journal.observe([status("a", [open])], START_MS);
  before.journal.observe([status("a", [], [resolved(open)])], START_MS + 5_000);
  const { tell } = journalWith(before.kept.entries);
  t.deepEqual(
    tell().map(({ id, resolvedAt, since }) => [id, timestampMs(since!), timestampMs(resolvedAt!)]),
    [[open.id, START_MS, START_MS]],
  );
});

test("each change has a higher revision; a count alone is told now and then", (t) => {
  const { journal, tell, kept } = journalWith();
  const open = issue();
  journal.observe([status("a", [open])], START_MS);
  const [first] = tell();
  const { saves } = kept;
  journal.observe([status("a", [{ ...open, count: 9n }])], START_MS + COUNT_TOLD_MS_MIN - 1);
  t.deepEqual(tell(), []);
  t.is(kept.saves, saves + 1, "what is not told is not written either, but for the confirmation");
  journal.observe([status("a", [{ ...open, count: 9n }])], START_MS + COUNT_TOLD_MS_MIN);
  const [second] = tell();
  t.is(second?.count, 9n);
  t.true(second!.revision > first!.revision);
  journal.observe([status("a", [{ ...open, message: "another" }])], START_MS + COUNT_TOLD_MS_MIN);
  t.true(tell()[0]!.revision > second!.revision);
});

test("a stage that died with an open issue: ended when the next process answers", (t) => {
  const { journal, tell } = journalWith();
  const open = issue();
  journal.observe([status("a", [open])], START_MS);
  tell();
  journal.observe([], START_MS + 1_000);
  t.deepEqual(tell(), [], "it may only be slow to answer");
  journal.observe([status("b", [])], START_MS + 2_000);
  const [told] = tell();
  t.is(told?.resolution, HealthResolution.STAGE_ENDED);
  t.deepEqual(journal.openIds, []);
});

test("a stage that never comes back: ended after a while; opened again when it only hung", (t) => {
  const { journal, tell } = journalWith();
  const open = issue();
  journal.observe([status("a", [open])], START_MS);
  tell();
  journal.observe([], START_MS + 1);
  journal.observe([], START_MS + STAGE_GONE_MS);
  t.deepEqual(tell(), []);
  journal.observe([], START_MS + 1 + STAGE_GONE_MS);
  t.is(tell()[0]?.resolution, HealthResolution.STAGE_ENDED);
  journal.observe([status("a", [open])], START_MS + 2 * STAGE_GONE_MS);
  t.deepEqual(
    tell().map(({ id, resolvedAt }) => [id, resolvedAt]),
    [[open.id, undefined]],
  );
});

test("the uplink died with open issues of its own and of others: ended, or going on", (t) => {
  const before = journalWith();
  const [own, other] = [issue({ stage: "uplink" }), issue()];
  const uplink = { ...status("u1", [own]), stage: "uplink" };
  before.journal.observe([uplink, status("a", [other])], START_MS);
  before.tell();
  const { journal, tell } = journalWith(before.kept.entries);
  journal.observe([{ ...status("u2", []), stage: "uplink" }, status("a", [other])], START_MS + 9_000);
  t.deepEqual(
    tell().map(({ id, resolution }) => [id, resolution]),
    [[own.id, HealthResolution.STAGE_ENDED]],
  );
  t.deepEqual(journal.openIds, [other.id]);
});

test("what was kept is lost: revisions grow all the same", (t) => {
  const open = issue();
  const before = journalWith();
  before.journal.observe([status("a", [open])], START_MS);
  before.journal.observe([status("a", [{ ...open, message: "another" }])], START_MS);
  const last = before.tell()[0]!.revision;
  const { journal, tell } = journalWith();
  journal.observe([status("a", [open])], START_MS + 1_000);
  t.true(tell()[0]!.revision > last);
});

test("secrets are taken out before anything is kept, and do not make changes", (t) => {
  const { journal, tell, kept } = journalWith();
  const open = issue({ message: "no access with hunter2" });
  journal.observe([status("a", [open])], START_MS);
  t.is(tell()[0]?.message, "no access with (secret)");
  journal.observe([status("a", [open])], START_MS + 1);
  t.deepEqual(tell(), []);
  t.false(JSON.stringify(entriesToJson(kept.entries)).includes("hunter2"));
});

test("too many: those that ended first are given up and counted, what is open stays", (t) => {
  const { journal, kept, tell } = journalWith();
  const open = issue();
  const past = Array.from({ length: JOURNAL_ISSUES_MAX + 2 }, (_, at) => resolved(issue(), START_MS + at));
  journal.observe([status("a", [open], past)], START_MS);
  t.is(kept.dropped, 3);
  const told = tell().map(({ id }) => id);
  t.is(told.length, JOURNAL_ISSUES_MAX);
  t.true(told.includes(open.id));
  t.false(told.includes(past[2]!.id));
});
