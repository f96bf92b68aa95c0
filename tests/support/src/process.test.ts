// Tests started processes and temporary folders: nothing a test began outlives it.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { startProcess, temporaryFolder, waitFor } from "./index.ts";

/** Stands for a test: collects what would run at its end. */
function fakeTest() {
  const cleanUps: (() => void | Promise<void>)[] = [];
  return {
    teardown: (cleanUp: () => void | Promise<void>) => void cleanUps.push(cleanUp),
    async end() {
      for (const cleanUp of cleanUps.reverse()) await cleanUp();
    },
  };
}

function alive(pid: number): boolean {
  try {
    // A zombie has ended, though its number is not free yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("a folder is empty, and gone with the test", async (t) => {
  const inner = fakeTest();
  const folder = temporaryFolder(inner);
  writeFileSync(join(folder, "file"), "x");
  await inner.end();
  t.false(existsSync(folder));
});

test("a process is ended with the test, by its number", async (t) => {
  const inner = fakeTest();
  const other = startProcess(t, "sleep", ["60"]);
  const started = startProcess(inner, "sleep", ["60"]);
  await waitFor(() => alive(started.pid), { what: "it runs" });
  await inner.end();
  t.false(alive(started.pid));
  t.true(alive(other.pid));
});

test("a group is ended with what its leader left behind", async (t) => {
  const inner = fakeTest();
  const script = "sleep 60 & echo child $!; wait";
  const started = startProcess(inner, "sh", ["-c", script], { group: true });
  const [, child] = await started.line(/child (\d+)/);
  t.true(alive(Number(child)));
  await inner.end();
  await waitFor(() => !alive(Number(child)), { what: "the child is gone" });
  t.false(alive(started.pid));
});

test("one that ignores SIGTERM is killed", async (t) => {
  const started = startProcess(t, "sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"], {
    group: true,
  });
  await started.line(/ready/);
  const exit = await started.stop({ timeoutMs: 100 });
  t.is(exit?.signal, "SIGKILL");
});

test("a line that never comes is reported with what was printed", async (t) => {
  const started = startProcess(t, "sh", ["-c", "echo one; echo two >&2; exit 3"]);
  t.deepEqual(await started.exited, { code: 3, signal: null });
  const error = await t.throwsAsync(started.line(/three/, { timeoutMs: 50 }));
  t.regex(error?.message ?? "", /ended with \{"code":3.*\n.*printed:\none\n\ntwo/s);
});

test("a program that is not there is an error to whoever waits for it", async (t) => {
  const started = startProcess(t, "/nonexistent/program");
  await t.throwsAsync(started.exited, { code: "ENOENT" });
  t.is(await started.stop(), undefined);
});
