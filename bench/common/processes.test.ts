// Tests what is read of processes on a process of known shape.
import { spawn } from "node:child_process";
import { startProcess, waitFor } from "@nightjar/test-support";
import test from "ava";
import { cpuSeconds, memoryOf, processTree, roleOf } from "./processes.ts";

test("the tree has the process, its children and theirs", async (t) => {
  const shell = startProcess(t, "sh", ["-c", "sh -c 'sleep 60; :' & wait"], { group: true });
  const roles = () => processTree(shell.pid).map(roleOf);
  await waitFor(() => roles().includes("sleep"), { what: "the grandchild is there" });
  t.deepEqual(roles(), ["sh", "sh", "sleep"]);
  t.is(processTree(shell.pid)[0], shell.pid);
});

test("processor time grows with work, and is unknown of a process that is gone", async (t) => {
  const busy = startProcess(t, "sh", ["-c", "while :; do :; done"]);
  await waitFor(() => (cpuSeconds(busy.pid) ?? 0) >= 0.1, { what: "it has used 0.1 s" });
  await busy.stop();
  t.is(cpuSeconds(busy.pid), undefined);
});

test("memory is that of the process", (t) => {
  const { peakResidentBytes, proportionalBytes } = memoryOf(process.pid);
  t.true(peakResidentBytes >= process.memoryUsage().rss / 2);
  t.true(proportionalBytes > 0 && proportionalBytes <= peakResidentBytes);
});

const COMMANDS = [
  ["/opt/nightjar/services/rule-engine/dist/main.js", "rule-engine"],
  ["nightjar-rule-engine", "rule-engine"],
  ["/opt/nightjar/cli/src/main.ts", "nightjar run"],
  ["/usr/sbin/nats-server", "nats-server"],
] as const;

for (const [argv0, role] of COMMANDS) {
  test(`${argv0} is ${role}`, async (t) => {
    const child = spawn("sleep", ["60"], { argv0 });
    t.teardown(() => void child.kill("SIGKILL"));
    await waitFor(() => roleOf(child.pid ?? 0) === role, { what: "it has its command line" });
    t.pass();
  });
}
