// A stranger lays hands on the sensor's own processes: it is told, and the sensor goes on.
import { execFileSync } from "node:child_process";
import type { Detection } from "@nightjar/proto";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
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

function pidOf(sensor: Sensor, stage: "enricher" | "uplink"): number {
  const pid = sensor.pid(stage);
  if (pid === undefined) throw new Error(`${stage} does not run`);
  return pid;
}

run(`a stranger who stops or ends a stage is told, and the sensor goes on${why}`, async (t) => {
  t.timeout(5 * 60_000);
  const sensor = await startSensor(t);
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
