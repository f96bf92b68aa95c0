// A map and a program are made and handed around, and what the kernel was asked for is read back.
import { join } from "node:path";
import { BpfObjectType, Call } from "@nightjar/proto";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import { compileDeed } from "../support/deed.ts";
import { balances, kernelTest, type Seen, text, watchKernel } from "../support/kernel.ts";

// enum bpf_cmd
const MAP_CREATE = 0;
const PROGRAM_LOAD = 5;
const PIN = 6;
const ATTACH = 8;
const MAP_BY_ID = 14;
const INFO = 15;
const TRACEPOINT = 17;

const ARRAY = 2;
const SOCKET_FILTER = 1;

kernelTest("what a program of eBPF's goes through, and the objects it touches", async (t) => {
  const watch = watchKernel(t, { types: ["bpf"] });
  const path = join(temporaryFolder(t), "pin");
  const done = compileDeed(t, import.meta.dirname).do([path]);
  const [map = 0, program = 0, id = 0, updated, again = 0, pinned, attached, opened] = done.stdout
    .split(" ")
    .map(Number);
  t.true(map > 2 && program > 2 && id > 0 && updated === 0 && again > 2);
  const events = await waitFor(
    () => {
      const all = watch.of("bpf", ({ pid }) => pid === done.pid);
      return all.at(-1)?.data.command === TRACEPOINT ? all : undefined;
    },
    { what: "the last command is seen" },
  );
  const theMap = { object: BpfObjectType.MAP, objectId: id, mapType: ARRAY, name: "deed_map" };
  const theProgram = { object: BpfObjectType.PROGRAM, programType: SOCKET_FILTER, name: "deed_program" };
  const seen = events.map(({ call, result, data }) => {
    t.is(call, Call.BPF);
    t.false(data.targetsSensor);
    return { ...data, result: Number(result), name: text(data.name), path: text(data.path), target: text(data.target) };
  });
  const expected = [
    { command: MAP_CREATE, result: map, fd: map, ...theMap },
    { command: PROGRAM_LOAD, result: program, fd: program, ...theProgram, instructions: 2 },
    { command: INFO, result: 0, fd: map, ...theMap },
    { command: MAP_BY_ID, result: again, fd: again, ...theMap },
    { command: PIN, result: pinned, fd: map, ...theMap, path },
    { command: ATTACH, result: attached, fd: program, ...theProgram, targetFd: 999 },
    { command: TRACEPOINT, result: opened, fd: -1, object: BpfObjectType.LINK, target: "sys_enter" },
  ];
  t.is(seen.length, expected.length);
  for (const [index, event] of expected.entries()) t.like(seen[index], event);
  await watch.probe.stop();
  t.true(watch.ledger("bpf").filtered >= 1n, "an element of a stranger's map is no event");
  t.true(balances(watch.ledger("bpf")));
});

const isSettings = ({ data }: Seen<"bpf">) => data.targetsSensor && text(data.name) === "settings";

kernelTest("who touches the sensor's own maps is told, and what was touched", async (t) => {
  const watch = watchKernel(t, { types: ["bpf"] });
  const deed = compileDeed(t, join(import.meta.dirname, "..", "..", "attacks", "tamper"));
  const done = deed.do(["settings"]);
  t.true(Number(done.stdout.split(" ")[0]) > 0, "the sensor's map was found");
  // Other sensors may be at work on this machine, with maps of the same names, but only this one's own are its own.
  const got = await watch.event("bpf", (event) => isSettings(event) && event.pid === done.pid);
  t.is(got.data.command, MAP_BY_ID);
  t.like(got.data, { object: BpfObjectType.MAP });
});
