// What processes take is read right, of those that come and go too, and is an average.
import test from "ava";
import { UseMeter } from "./use.ts";

const KB = 1024;

interface Fake {
  ticks: number;
  start?: number;
  anonymousKb?: number;
  fileKb?: number;
}

function procOf(processes: Record<number, Fake>, host = "cpu  0 0 0 0 0 0 0 0 0 0") {
  return (path: string) => {
    if (path === "stat") return host;
    const [pid, file] = path.split("/");
    const one = processes[Number(pid)];
    if (!one) return undefined;
    if (file === "status") return `Name:\tx\nRssAnon:\t${one.anonymousKb ?? 0} kB\nRssFile:\t  ${one.fileKb ?? 0} kB\n`;
    const middle = new Array(8).fill(0).join(" ");
    // Half of the ticks in the kernel; 10 fields from the state to utime, the start is field 22.
    return `${pid} (a) 9 (b) S ${middle} 0 0 ${one.ticks / 2} ${one.ticks / 2} 0 0 0 0 0 0 ${one.start ?? 1} 0`;
  };
}

test("the processor's part is the average of the last looks, of those who are there and those who were", (t) => {
  const processes: Record<number, Fake> = { 7: { ticks: 1_000 }, 8: { ticks: 50 } };
  const meter = new UseMeter(procOf(processes));
  t.is(meter.look([7, 8], 0).cpuPercent, 0, "what was taken before is not known");
  processes[7] = { ticks: 1_060 };
  t.is(meter.look([7, 8], 1_000).cpuPercent, 60);
  delete processes[7];
  processes[8] = { ticks: 90 };
  t.is(meter.look([7, 8], 2_000).cpuPercent, 50);
  processes[8] = { ticks: 90_000, start: 2 };
  t.is(meter.look([8], 4_000).cpuPercent, 25, "another process of the same number");
  for (let second = 5; second < 12; second++) meter.look([8], second * 1_000);
  t.is(meter.look([8], 12_000).cpuPercent, 0);
});

test("memory is each one's own, and what they map counts once", (t) => {
  const processes = { 7: { ticks: 0, anonymousKb: 100, fileKb: 40 }, 8: { ticks: 0, anonymousKb: 20, fileKb: 50 } };
  t.is(new UseMeter(procOf(processes)).look([7, 8, 9], 0).memoryBytes, 170 * KB);
});

test("a host is as idle as it was between the looks", (t) => {
  let host = "cpu  100 0 100 700 100 0 0 0 0 0";
  const meter = new UseMeter((path) => procOf({}, host)(path));
  t.is(meter.look([], 0).hostIdlePercent, 100, "nothing is known");
  host = "cpu  190 0 100 705 105 0 0 0 0 0\ncpu0 1 1 1 1";
  t.is(meter.look([], 1_000).hostIdlePercent, 10);
});

test("this process is found where Linux tells of it", (t) => {
  const meter = new UseMeter();
  meter.look([process.pid], 0);
  const { memoryBytes, hostIdlePercent } = meter.look([process.pid], 1_000);
  t.true(memoryBytes > 1024 * KB);
  t.true(hostIdlePercent >= 0 && hostIdlePercent <= 100);
});
