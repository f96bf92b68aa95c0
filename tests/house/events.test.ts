// Holds every event type to its three files: its message, its kernel program, its test that does the deed.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { eventTypes } from "@nightjar/proto";
import test from "ava";
import { root } from "./tree.ts";

const FILES = [
  (name: string) => `proto/nightjar/event/v1/${name}.proto`,
  (name: string) => `native-probe/bpf/${name}.bpf.c`,
  (name: string) => `tests/events/${name}/*.test.ts`,
];

/** The files that an event type lacks. */
function missingFiles(name: string): string[] {
  return FILES.map((fileOf) => fileOf(name)).filter((path) => globSync(path, { cwd: root }).length === 0);
}

test("what is missing is found", (t) => {
  t.is(missingFiles("no_such_event").length, FILES.length);
});

for (const { name } of eventTypes) {
  test(`${name} has its message, its program and its test`, (t) => {
    t.deepEqual(missingFiles(name), []);
  });
}

test("programs of system calls are made by SYSCALL_PROGRAM, which hands on to the other types of the call", (t) => {
  const programs = globSync("native-probe/bpf/*.bpf.c", { cwd: root });
  const byHand = programs.filter((path) =>
    /tp_btf\/sys_exit|BPF_PROG\(syscall_/.test(readFileSync(join(root, path), "utf8")),
  );
  t.true(programs.length > 0);
  t.deepEqual(byHand, []);
});
