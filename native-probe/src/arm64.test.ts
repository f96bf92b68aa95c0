// Holds the kernel programs to being written for arm64 too: they compile for it on any machine.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { compilerArguments } from "../scripts/compile.ts";

for (const target of ["x86", "arm64"] as const) {
  test(`the kernel programs compile for ${target}`, (t) => {
    const args = compilerArguments(target, join(temporaryFolder(t), "nightjar.bpf.o"));
    const { status, stderr } = spawnSync("clang", args, { cwd: join(import.meta.dirname, ".."), encoding: "utf8" });
    t.is(status, 0, stderr);
  });
}
