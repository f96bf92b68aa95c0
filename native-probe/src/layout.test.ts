// Holds the layout reader to its word: a record that does not fit its message is refused by name. Needs no root.
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { toProbeError } from "./errors.ts";
import { loadAddon } from "./native.ts";

const folder = join(import.meta.dirname, "..");
const RING_BYTES = 64 * 1024;

/** Compiles the programs with one file changed, and returns what opening them says. */
function openChanged(t: ExecutionContext, file: string, changes: readonly (readonly [string, string])[]): string {
  const copy = temporaryFolder(t);
  for (const part of ["bpf", "gen"]) cpSync(join(folder, part), join(copy, part), { recursive: true });
  let source = readFileSync(join(copy, "bpf", file), "utf8");
  for (const [from, to] of changes) {
    t.true(source.includes(from), `${file} has "${from}"`);
    source = source.replaceAll(from, to);
  }
  writeFileSync(join(copy, "bpf", file), source);
  const object = join(copy, "changed.o");
  const target = process.arch === "x64" ? "x86" : "arm64";
  const args = ["-target", "bpf", "-mcpu=v3", "-O2", "-g", `-D__TARGET_ARCH_${target}`];
  args.push("-c", join(copy, "bpf", "nightjar.bpf.c"), "-o", object);
  const { status, stderr } = spawnSync("clang", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const addon = loadAddon();
  const sizes = { ringBytes: RING_BYTES, flushDelayMs: 10, batchesInFlightMax: 1, readerGoneAfterS: 60 };
  const thrown = t.throws(
    () => new addon.Probe({ mode: "load", object, folder: "", epoch: 1n, callsSeenAt: "tracepoint", ...sizes }),
  );
  const error = toProbeError(thrown);
  t.is(error.code, "PROBE_LAYOUT");
  t.regex(error.message, /^failed loading ebpf skeleton: /);
  return error.message;
}

const cases = [
  {
    title: "a member that the message does not know",
    file: "exit.bpf.c",
    changes: [["core_dumped", "dumped"]],
    message: /struct exit_event member dumped: message Exit has no field of this name/,
  },
  {
    title: "a field that the record lacks",
    file: "exit.bpf.c",
    changes: [
      ["    u8 core_dumped;\n", ""],
      ["    event->core_dumped = (status & CORE_DUMPED) != 0;\n", ""],
    ],
    message: /struct exit_event: it lacks Exit's field core_dumped/,
  },
  {
    title: "a sign that is lost",
    file: "open.bpf.c",
    changes: [["    s32 directory_fd;\n    u64 resolve;", "    u32 directory_fd;\n    u64 resolve;"]],
    message: /struct open_event member directory_fd: the field is signed, the member is not/,
  },
  {
    title: "a bool of four bytes",
    file: "open.bpf.c",
    changes: [["u8 created;", "u32 created;"]],
    message: /struct open_event member created: a bool is one byte/,
  },
  {
    title: "a member of a nested struct",
    file: "socket.h",
    changes: [["u16 port;\n    struct text path;", "s16 port;\n    struct text path;"]],
    message: /struct endpoint member port: the member is signed, the field is not/,
  },
] as const;

for (const { title, file, changes, message } of cases) {
  test(`${title} is refused by name`, (t) => {
    t.regex(openChanged(t, file, changes), message);
  });
}
