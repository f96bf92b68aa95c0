// The programs as another version could have had them: one record is laid out differently.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROBE = join(import.meta.dirname, "../../../native-probe");
/** Where a bundled test has them beside itself, compiled: an emulated machine takes minutes for it. */
export const YESTERDAYS_OBJECT = "yesterdays.bpf.o";

const FILE = "bpf/exit.bpf.c";
const CHANGES = [
  ["    u32 code;\n", ""],
  ["    u8 core_dumped;\n", "    u8 core_dumped;\n    u32 of_yesterday;\n    u64 code;\n"],
  ["    event->core_dumped =", "    event->of_yesterday = 7;\n    event->core_dumped ="],
] as const;

/** Compiles them to `object`, and returns its path; throws where the programs are not as they were. */
export function buildYesterdays(object: string): string {
  const copy = mkdtempSync(join(tmpdir(), "nightjar-yesterday-"));
  try {
    for (const part of ["bpf", "gen"]) cpSync(join(PROBE, part), join(copy, part), { recursive: true });
    writeFileSync(join(copy, FILE), changed(readFileSync(join(copy, FILE), "utf8")));
    const target = process.arch === "x64" ? "x86" : "arm64";
    const args = ["-target", "bpf", "-mcpu=v3", "-O2", "-g", `-D__TARGET_ARCH_${target}`];
    const source = join(copy, "bpf/nightjar.bpf.c");
    const { status, stderr } = spawnSync("clang", [...args, "-c", source, "-o", object], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    return object;
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function changed(source: string): string {
  return CHANGES.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`${FILE} has no "${from}"`);
    return text.replace(from, to);
  }, source);
}
