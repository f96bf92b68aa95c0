// Tested with folders and a supervisor made up: nothing is done unasked, what is not ours is left, what is ours goes.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identify } from "@nightjar/stage";
import { startProcess, temporaryFolder } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { writeRecord } from "../supervisor/record.ts";
import { runCli } from "../testing.ts";
import { findPackage } from "../uninstall/package.ts";

const asRoot = process.getuid?.() === 0 ? test : test.skip;

/** A state folder whose supervisor runs, and a log folder. */
async function running(t: ExecutionContext) {
  const [stateDir, logDir] = [temporaryFolder(t), temporaryFolder(t)];
  mkdirSync(join(stateDir, "bus"));
  writeFileSync(join(logDir, "bus.log"), "{}\n");
  const script = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done";
  const supervisor = startProcess(t, "sh", ["-c", script], { group: true });
  await supervisor.line(/ready/);
  const identity = identify(supervisor.pid);
  if (!identity) throw new Error("the supervisor is not there");
  writeRecord(stateDir, { ...identity, version: "0.1.0", started_at: "", stages: {} });
  const uninstall = (...args: string[]) =>
    runCli(["uninstall", "--json", "--state-dir", stateDir, "--log-dir", logDir, ...args]);
  return { stateDir, logDir, supervisor, uninstall };
}

const stepsOf = (stdout: string) =>
  JSON.parse(stdout).steps.map(({ name, status }: Record<string, string>) => `${name} ${status}`);

asRoot("nothing is done before it is asked for", async (t) => {
  const { stateDir, supervisor, uninstall } = await running(t);
  const dry = await uninstall("--purge", "--dry-run");
  t.is(dry.code, 0);
  t.deepEqual(stepsOf(dry.stdout), ["stop would", "files would", "files would"]);
  const unasked = await uninstall("--purge");
  t.is(unasked.code, 2);
  t.regex(unasked.stderr, /nothing was done/);
  t.true(existsSync(stateDir));
  t.truthy(identify(supervisor.pid));
});

asRoot("the sensor is ended; its state stays until it is to go", async (t) => {
  const { stateDir, logDir, supervisor, uninstall } = await running(t);
  const kept = await uninstall("--yes");
  t.is(kept.code, 0, kept.stderr);
  t.deepEqual(stepsOf(kept.stdout), ["stop done"]);
  t.is((await supervisor.exited).code, 0);
  t.true(existsSync(stateDir));
  const purged = await uninstall("--purge", "--yes");
  t.deepEqual(stepsOf(purged.stdout), ["files done", "files done"]);
  t.false(existsSync(stateDir) || existsSync(logDir));
  const nothing = await uninstall("--purge", "--yes");
  t.deepEqual([nothing.code, stepsOf(nothing.stdout)], [0, []]);
});

asRoot("a folder that is none of ours is left alone", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "letter.txt"), "");
  const { code } = await runCli(["uninstall", "--purge", "--yes", "--state-dir", folder]);
  t.is(code, 0);
  t.true(existsSync(join(folder, "letter.txt")));
});

test("the package of a file is found, and how it is removed", async (t) => {
  if (existsSync("/usr/bin/dpkg")) {
    t.like(await findPackage(false, "/usr/bin/dpkg"), { name: "dpkg", command: "dpkg --remove dpkg" });
    t.like(await findPackage(true, "/usr/bin/dpkg"), { name: "dpkg", command: "dpkg --purge dpkg" });
  }
  t.is(await findPackage(true, join(temporaryFolder(t), "nobody's")), undefined);
});
