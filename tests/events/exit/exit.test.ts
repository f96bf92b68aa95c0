// Processes end, each in its own way, and their exit is read back.
import { constants } from "node:os";
import { Call } from "@nightjar/proto";
import { compileDeed } from "../support/deed.ts";
import { balances, kernelTest, text, watchKernel } from "../support/kernel.ts";

const TYPES = ["exit"] as const;
const RACES = 300;

kernelTest("an exit code is what wait would say", async (t) => {
  const deed = compileDeed(t, import.meta.dirname);
  const watch = watchKernel(t, { types: TYPES });
  for (const code of [0, 7, 255]) {
    const { pid, status } = deed.do(["code", String(code)]);
    const event = await watch.event("exit", (exit) => exit.pid === pid);
    t.is(status, code);
    t.like(event, { tid: pid, parentPid: process.pid, call: Call.PROCEXIT, result: 0n });
    t.like(event.data, { code, signal: 0, coreDumped: false });
    t.is(text(event.name), "deed");
  }
});

kernelTest("a signal that ends a process is named, with no code", async (t) => {
  const deed = compileDeed(t, import.meta.dirname);
  const watch = watchKernel(t, { types: TYPES });
  for (const signal of ["SIGKILL", "SIGTERM", "SIGUSR1"] as const) {
    const done = deed.do(["signal", String(constants.signals[signal])]);
    const { data } = await watch.event("exit", ({ pid }) => pid === done.pid);
    t.is(done.signal, signal);
    t.like(data, { code: 0, signal: constants.signals[signal], coreDumped: false });
  }
});

kernelTest("a core dump is said as wait says it", async (t) => {
  const deed = compileDeed(t, import.meta.dirname);
  const watch = watchKernel(t, { types: TYPES });
  const folder = deed.path.replace(/deed$/, "");
  const [child, dumped] = deed.do(["abort"], { cwd: folder }).stdout.split(" ").map(Number);
  const { data } = await watch.event("exit", ({ pid }) => pid === child);
  t.like(data, { code: 0, signal: constants.signals.SIGABRT, coreDumped: dumped === 1 });
});

kernelTest("a process whose leader ends first ends once, with its last thread", async (t) => {
  const deed = compileDeed(t, import.meta.dirname);
  const watch = watchKernel(t, { types: TYPES });
  const before = watch.ledger("exit").filtered;
  const done = deed.do(["leader-first", "5"]);
  const { data, tid } = await watch.event("exit", ({ pid }) => pid === done.pid);
  t.like(data, { code: 5, signal: 0 });
  t.not(tid, done.pid);
  t.is(watch.of("exit", ({ pid }) => pid === done.pid).length, 1);
  t.true(watch.ledger("exit").filtered > before);
  await watch.probe.stop();
  t.true(balances(watch.ledger("exit")));
});

kernelTest("processes whose two threads end at the same moment end once each", async (t) => {
  const deed = compileDeed(t, import.meta.dirname);
  const watch = watchKernel(t, { types: TYPES });
  const done = deed.do(["race", String(RACES)]);
  t.is(done.status, 0);
  await watch.ended(done.pid);
  const children = watch.of("exit", ({ parentPid }) => parentPid === done.pid);
  t.true(children.every(({ data }) => data.code === 5 && data.signal === 0));
  t.is(children.length, RACES);
  t.is(new Set(children.map(({ pid }) => pid)).size, RACES);
});
