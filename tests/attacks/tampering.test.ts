// A stranger lays hands on the sensor's own processes and maps: it is told, and the sensor goes on.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Detection } from "@nightjar/proto";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { compileDeed } from "../events/support/deed.ts";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";
import { attacks } from "./acts.ts";

const RULE = "Sensor tampered with";

const reason = whyNoKernel();
const run = reason ? test.skip : test;
const why = reason ? ` (${reason})` : "";

/** Sends a signal as a program of its own: what this test does itself would be done by the sensor's grandparent. */
function send(signal: string, pid: number): void {
  execFileSync("/bin/kill", [`-${signal}`, String(pid)]);
}

async function detectionsOf(sensor: Sensor, rule: string): Promise<Detection[]> {
  return (await sensor.detections()).flatMap(({ detection }) => (detection?.rule === rule ? [detection] : []));
}

function pidOf(sensor: Sensor, stage: "collector" | "enricher" | "uplink"): number {
  const pid = sensor.pid(stage);
  if (pid === undefined) throw new Error(`${stage} does not run`);
  return pid;
}

/** The numbers of the maps that a process holds: others of the same name are other sensors'. */
function mapsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fdinfo`;
  return readdirSync(folder).flatMap(
    (fd) => /^map_id:\s*(\d+)$/m.exec(readFileSync(join(folder, fd), "utf8"))?.[1] ?? [],
  );
}

run(`a stranger who writes to a map of the sensor is told, and one who looks at it is not${why}`, async (t) => {
  t.timeout(5 * 60_000);
  const sensor = await startSensor(t, { args: ["--rule-engine-fold-repeats", "false"] });
  const deed = compileDeed(t, join(import.meta.dirname, "tamper"));
  const maps = new Set(mapsOf(pidOf(sensor, "collector")));
  t.true(maps.size > 0);
  t.true(Number(deed.do(["syscalls"]).stdout.split(" ")[0]) > 0, "it is looked at");
  for (const map of maps) deed.do(["syscalls", map]);
  const written = await waitFor(async () => (await detectionsOf(sensor, RULE))[0], {
    what: "the writing is at the portal",
    timeoutMs: 60_000,
    intervalMs: 1_000,
  });
  t.regex(written.output, /call=bpf .*BPF_MAP_UPDATE_ELEM/);
  t.is((await detectionsOf(sensor, RULE)).length, 1, "nor is what the sensor writes itself");
});

run(`a stranger who stops or ends a stage is told, and the sensor goes on${why}`, async (t) => {
  t.timeout(5 * 60_000);
  const sensor = await startSensor(t, { args: ["--rule-engine-fold-repeats", "false"] });
  const enricher = pidOf(sensor, "enricher");
  // The collector learns once a second which processes are the sensor's; questions and continuations are no attack.
  const stopped = await waitFor(
    async () => {
      send("0", enricher);
      send("STOP", enricher);
      send("CONT", enricher);
      return (await detectionsOf(sensor, RULE))[0];
    },
    { what: "the stop is at the portal", timeoutMs: 60_000, intervalMs: 1_000 },
  );
  t.regex(stopped.output, /SIGSTOP/);
  t.regex(stopped.output, /program=\S*kill/);
  t.deepEqual(
    (await detectionsOf(sensor, RULE)).filter(({ output }) => !output.includes("SIGSTOP")),
    [],
  );

  const uplink = pidOf(sensor, "uplink");
  send("TERM", uplink);
  await waitFor(async () => (await detectionsOf(sensor, RULE)).some(({ output }) => output.includes("SIGTERM")), {
    what: "the end of the uplink is at the portal",
    timeoutMs: 60_000,
  });
  t.not(pidOf(sensor, "uplink"), uplink);

  const [attack] = attacks;
  await attack?.perform(sensor.stateDir);
  await waitFor(async () => (await detectionsOf(sensor, attack?.rule ?? "")).length > 0, {
    what: "what happens afterwards is seen",
    timeoutMs: 60_000,
  });
});

run(`a collector that comes back to pinned programs is no stranger to them${why}`, async (t) => {
  t.timeout(5 * 60_000);
  const sensor = await startSensor(t);
  const deed = compileDeed(t, join(import.meta.dirname, "tamper"));
  const before = pidOf(sensor, "collector");
  process.kill(before, "SIGKILL");
  const statusOf = async () => (await sensor.statuses()).find(({ stage }) => stage === "collector");
  const after = await waitFor(
    async () => {
      const status = await statusOf();
      return status?.ready && status.pid !== before && status.facts.wanted ? status.pid : undefined;
    },
    { what: "another collector has taken over, and set its filters", timeoutMs: 60_000 },
  );
  // What a stranger does afterwards is told: so what the collector did is through all stages by then.
  for (const map of new Set(mapsOf(after))) deed.do(["syscalls", map]);
  const found = await waitFor(
    async () => {
      const all = await detectionsOf(sensor, RULE);
      return all.some(({ output }) => output.includes("BPF_MAP_UPDATE_ELEM") && output.includes("deed"))
        ? all
        : undefined;
    },
    { what: "the stranger's writing is at the portal", timeoutMs: 60_000, intervalMs: 1_000 },
  );
  t.deepEqual(
    found.filter(({ processes }) => processes[0]?.pid === after).map(({ output }) => output),
    [],
  );
});
