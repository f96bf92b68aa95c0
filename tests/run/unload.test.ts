// What a sensor leaves in the kernel: as long as it may come back, its programs; when it has ended, nothing.
import { spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pinPaths, statePaths } from "@nightjar/stage";
import { waitFor } from "@nightjar/test-support";
import anyTest, { type TestFn } from "ava";
import { bpffs } from "../events/support/pins.ts";
import { startBus } from "../harness/bus.ts";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";

const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
const COLLECTOR = fileURLToPath(new URL("../../services/collector/src/main.ts", import.meta.url));
const ALREADY_RUNNING = 6;
/** Loading checks every program, and the machine may be busy. */
const START = { timeoutMs: 60_000 };
const RING_BYTES = 8 * 1024 * 1024;

const reason = whyNoKernel();
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const suffix = reason ? ` (${reason})` : "";

/** Runs `nightjar collector unload`. */
function unload(place: string, ...args: string[]) {
  const argv = [CLI, "collector", "unload", "--collector-bpffs", place, "--json", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8" });
  return { status, stderr, said: stdout === "" ? undefined : JSON.parse(stdout) };
}

/** Ends all of it without a warning, first who would start the others again. */
async function killAll(sensor: Sensor): Promise<void> {
  const { stages } = JSON.parse(readFileSync(statePaths.supervisor(sensor.stateDir), "utf8"));
  const server = sensor.pid("nats-server");
  const pids = [sensor.process.pid, ...Object.values(stages).map((one) => (one as { pid: number }).pid), server];
  for (const pid of pids) if (pid) spawnSync("kill", ["-9", String(pid)]);
  await waitFor(() => pids.every((pid) => !existsSync(`/proc/${pid}/exe`)), { what: "all are gone" });
}

test(`a sensor that ends leaves nothing pinned; one that was killed is unloaded by the command${suffix}`, async (t) => {
  t.timeout(240_000);
  const place = bpffs(t);
  const args = ["--collector-bpffs", place];
  const ended = await startSensor(t, { args });
  t.true(existsSync(pinPaths.folder(place, ended.stateDir)));
  const running = unload(place, "--state-dir", ended.stateDir);
  t.is(running.status, ALREADY_RUNNING, running.stderr);
  t.is(unload(place, "--all").status, ALREADY_RUNNING);
  ended.process.signal("SIGTERM");
  await ended.process.exited;
  t.false(existsSync(pinPaths.root(place)), "`nightjar run` has taken all of it away");

  const killed = await startSensor(t, { args });
  const folder = pinPaths.folder(place, killed.stateDir);
  await killAll(killed);
  t.true(existsSync(folder), "a death leaves the programs running");
  t.deepEqual(unload(place, "--state-dir", killed.stateDir).said, { unloaded: [folder], running: [] });
  t.false(existsSync(folder));
  t.is(unload(place, "--state-dir", killed.stateDir).status, 0, "there is nothing to do then");
});

test(`a collector that is stopped alone leaves its programs, the next goes on with them${suffix}`, async (t) => {
  t.timeout(120_000);
  const place = bpffs(t);
  const bus = await startBus(t);
  // Of automatic size the ring could grow between the two, which is an upgrade.
  const env = { NIGHTJAR_COLLECTOR_BPFFS: place, NIGHTJAR_COLLECTOR_RING_BYTES: String(RING_BYTES) };
  const first = bus.startStage(COLLECTOR, env);
  await first.line(/the probe is loaded and pinned/, START);
  await first.line(/"message":"collector is ready"/, START);
  const other = bus.startStage(COLLECTOR, env);
  await other.line(/COLLECTOR_ALREADY_RUNNING/, START);
  t.is((await other.exited).code, 4);
  t.deepEqual(await first.stop({ timeoutMs: 20_000 }), { code: 0, signal: null });
  const second = bus.startStage(COLLECTOR, env);
  await second.line(/the probe was running and is taken over/, START);
  await second.stop();
  const [folder] = readdirSync(pinPaths.root(place));

  // Its state folder may vanish under it.
  rmSync(bus.stateDir, { recursive: true, force: true });
  const gone = unload(place, "--state-dir", bus.stateDir);
  t.is(gone.status, 2);
  t.regex(gone.stderr, /--all/);
  t.deepEqual(unload(place, "--all").said, { unloaded: [`${pinPaths.root(place)}/${folder}`], running: [] });
  t.false(existsSync(pinPaths.root(place)));
});

test(`pins that someone else could have made are not taken over${suffix}`, async (t) => {
  t.timeout(120_000);
  const place = bpffs(t);
  const bus = await startBus(t);
  const folder = pinPaths.folder(place, bus.stateDir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chownSync(folder, 1, 1);
  const issue = async () =>
    (await bus.status("collector"))?.healthIssues.find(({ code }) => code === "PROBE_UNPINNED")?.message;
  const collector = bus.startStage(COLLECTOR, { NIGHTJAR_COLLECTOR_BPFFS: place });
  await collector.line(/"message":"collector is ready"/, START);
  t.regex((await waitFor(issue, { what: "it is said" })) ?? "", /belongs to the user 1/);
  await collector.stop();

  const nowhere = bus.startStage(COLLECTOR, { NIGHTJAR_COLLECTOR_BPFFS: "/proc/nowhere" });
  await nowhere.line(/PROBE_UNPINNED/, START);
  await nowhere.line(/"message":"collector is ready"/, START);
  t.deepEqual(readdirSync(folder), []);
});
