// Tested with real processes: rights as /proc tells them, identities, leftovers of a killed supervisor.

import { identify, isAlive } from "@nightjar/stage";
import { startProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import test from "ava";
import { endLeftovers } from "./leftovers.ts";
import { readRecord, type SupervisorRecord, writeRecord } from "./record.ts";
import { missingRights } from "./rights.ts";

const status = (capabilities: bigint) => `Name:\tnode\nCapEff:\t${capabilities.toString(16).padStart(16, "0")}\n`;

test("who may load eBPF", (t) => {
  t.is(missingRights(status((1n << 39n) | (1n << 38n))), undefined);
  t.is(missingRights(status(1n << 21n)), undefined);
  t.regex(missingRights(status(1n << 39n)) ?? "", /^failed loading ebpf skeleton: EPERM \(errno 1\)/);
});

test("the refusal says what to check and what works without", (t) => {
  const said = missingRights(status(0n)) ?? "";
  for (const word of ["CAP_BPF", "SELinux", "lockdown", "CONFIG_DEBUG_INFO_BTF", "nightjar run --replay FILE"]) {
    t.true(said.includes(word), word);
  }
});

function recordOf(pid: number, startTicks: string): SupervisorRecord {
  const stages = { enricher: { pid, start_ticks: startTicks, restarts: 0 } };
  return { pid: 1, start_ticks: "0", version: "0.1.0", started_at: "", stages };
}

test("a leftover is ended, also one that ignores SIGTERM; a later process of the same pid is not", async (t) => {
  const process = startProcess(t, "sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"], {
    group: true,
  });
  await process.line(/ready/);
  const identity = identify(process.pid);
  if (!identity) return t.fail();
  t.deepEqual(await endLeftovers(recordOf(process.pid, `${Number(identity.start_ticks) + 1}`)), []);
  t.true(isAlive(identity));
  const steps = [
    [undefined, 50],
    ["SIGTERM", 50],
    ["SIGKILL", 5_000],
  ] as const;
  t.deepEqual(await endLeftovers(recordOf(process.pid, identity.start_ticks), steps), ["enricher"]);
  t.false(isAlive(identity));
});

test("a process that has ended is nobody", async (t) => {
  const process = startProcess(t, "true");
  await process.exited;
  await waitFor(() => identify(process.pid) === undefined, { what: "its pid is free" });
  t.pass();
});

test("the record is read back; one that is none of ours is no record", (t) => {
  const folder = temporaryFolder(t);
  t.is(readRecord(folder), undefined);
  const record = recordOf(5, "7");
  writeRecord(folder, record);
  t.deepEqual(readRecord(folder), record);
  writeRecord(folder, [] as unknown as SupervisorRecord);
  t.is(readRecord(folder), undefined);
});
