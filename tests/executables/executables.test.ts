// Executes and maps what nobody has seen before, and looks for its digest and its owner in the detection.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, chmodSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Detection, type Executable, FileGap, Ownership } from "@nightjar/proto";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test from "ava";
import { startSensor, whyNoKernel } from "../harness/sensor.ts";

const reason = whyNoKernel();
const run = reason ? test.skip : test;

/** Each program is another file, which nobody has seen. */
const PROGRAMS = 20;

const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");

/** On a machine that is too busy a detection does not wait for ever: then it says that the digest is to come. */
function outcomeOf(file: Executable | undefined, digest: string): "known" | "late" | "wrong" {
  if (hex(file?.sha256) === digest) return file?.ownership === Ownership.PACKAGE ? "wrong" : "known";
  return file?.gap === FileGap.PENDING ? "late" : "wrong";
}

/** What the acting process executes. */
const fileOf = (detection: Detection | undefined) =>
  detection?.executables[(detection.processes[0]?.executable ?? 0) - 1];

const rules = (folder: string) => `
- rule: First run
  desc: A program of this test was run
  condition: evt.type in (execve, execveat) and proc.exepath startswith ${folder}/
  output: ran %proc.exepath %nightjar.exe.sha256
  priority: NOTICE
- rule: In memory
  desc: A program in memory was run
  condition: evt.type in (execve, execveat) and proc.is_exe_from_memfd = true and proc.args contains ${folder}
  output: in memory %nightjar.exe.sha256
  priority: NOTICE
- rule: Owned
  desc: A program of a package was run
  condition: evt.type in (execve, execveat) and nightjar.exe.package = coreutils and proc.exeline contains ${folder}
  output: ran %nightjar.exe.package
  priority: NOTICE
- rule: Mapped
  desc: A library of this test was mapped
  condition: evt.type = mmap and fd.name = ${folder}/library.so
  output: mapped %fd.name %nightjar.lib.sha256
  priority: NOTICE
`;

/** Executes a file that has no name but a descriptor, and then ends. */
const IN_MEMORY = `import os, sys
fd = os.memfd_create("nameless", 0)
os.write(fd, open("/usr/bin/true", "rb").read() + b"in memory")
os.execve("/proc/self/fd/%d" % fd, ["nameless", sys.argv[1]], {})`;

run(`a file that runs for the first time has its digest in its detection${reason ? ` (${reason})` : ""}`, async (t) => {
  t.timeout(5 * 60_000);
  const folder = await temporaryFolder(t);
  const rulesFile = join(await temporaryFolder(t), "rules.yaml");
  writeFileSync(rulesFile, rules(folder));
  const sensor = await startSensor(t, { args: ["--rules", rulesFile] });
  const digests = new Map<string, string>();
  for (let program = 0; program < PROGRAMS; program++) {
    const path = join(folder, `program-${program}`);
    copyFileSync("/usr/bin/true", path);
    appendFileSync(path, `number ${program}`);
    chmodSync(path, 0o755);
    digests.set(path, sha256(path));
    // Most are gone before anybody can look, and one of them with its file.
    execFileSync(path);
  }
  execFileSync("python3", ["-c", IN_MEMORY, folder]);
  execFileSync("/usr/bin/echo", [folder]);
  const library = join(folder, "library.so");
  execFileSync("cc", ["-shared", "-o", library, "-x", "c", "/dev/null"]);
  execFileSync("python3", ["-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])", library]);
  const gone = join(folder, "gone");
  copyFileSync("/usr/bin/sleep", gone);
  chmodSync(gone, 0o755);
  const child = spawn("sh", ["-c", '"$1" 30 & rm "$1"; wait', "sh", gone], { stdio: "ignore", detached: true });
  t.teardown(() => process.kill(-(child.pid as number), "SIGKILL"));

  let found: Detection[] = [];
  await waitFor(
    async () => {
      found = (await sensor.detections()).flatMap(({ detection }) => detection ?? []);
      const times = (name: string) => found.filter(({ rule }) => rule === name).length;
      return times("First run") > PROGRAMS && ["In memory", "Owned", "Mapped"].every((name) => times(name) > 0);
    },
    { what: "all were detected", explain: () => found.map(({ output }) => output).join("\n") },
  );
  const outcomes = [...digests].map(([path, digest]) => {
    const file = fileOf(found.find(({ output }) => output.startsWith(`ran ${path} `)));
    return outcomeOf(file, digest);
  });
  const running = fileOf(found.find(({ output }) => output.startsWith(`ran ${gone} `)));
  outcomes.push(outcomeOf(running, sha256("/usr/bin/sleep")));
  const mapped = found.find(({ rule }) => rule === "Mapped");
  outcomes.push(outcomeOf(mapped?.executables[mapped.mapped - 1], sha256(library)));
  t.deepEqual([...new Set(outcomes)].sort(), outcomes.includes("late") ? ["known", "late"] : ["known"]);
  t.like(fileOf(found.find(({ rule }) => rule === "Owned"))?.package, { name: "coreutils" });
  // Nothing but the process leads to it, so it may be gone; then that is said, and nothing else.
  const nameless = fileOf(found.find(({ rule }) => rule === "In memory"));
  const whole = createHash("sha256").update(readFileSync("/usr/bin/true")).update("in memory").digest("hex");
  t.true(nameless?.gap === FileGap.GONE || outcomeOf(nameless, whole) !== "wrong");
});
