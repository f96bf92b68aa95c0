// Containers of runc and crun alone: what they do is told with their ids and images, however short they live, from the
// state and the bundle that the runtime leaves on disk.
import { spawnSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";
import { makeRootfs, ociCommand, removeCgroup, whyNoContainers, writeBundle } from "./engines.ts";

const reason = whyNoKernel() ?? whyNoContainers("runc", "crun", "unshare");
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const suffix = reason ? ` (${reason})` : "";
const TIMEOUT_MS = 120_000;
const RUN_TIMEOUT_MS = 20_000;
const IMAGE_ANNOTATION = "org.opencontainers.image.ref.name";

const RULE = `- rule: Marked
  desc: What a container's process was started with.
  condition: evt.type in (execve, execveat) and proc.args contains nightjar-mark
  output: "%proc.args / %container.full_id / %container.image / %container.type / %nightjar.container.missing"
  priority: NOTICE
`;

interface World {
  sensor: Sensor;
  folder: string;
  rootfs: string;
  state: string;
}

/** A sensor that knows no runtimes but the state folder of this test. */
async function setUp(t: ExecutionContext): Promise<World> {
  const folder = temporaryFolder(t);
  const state = join(folder, "state");
  mkdirSync(state);
  const rules = join(folder, "rules.yaml");
  writeFileSync(rules, RULE);
  const sensor = await startSensor(t, {
    args: ["--rules", rules],
    env: {
      NIGHTJAR_METADATA_USUAL_PLACES: "false",
      NIGHTJAR_METADATA_PLACES: `oci=${state}`,
      NIGHTJAR_RULE_ENGINE_FOLD_REPEATS: "false",
    },
  });
  return { sensor, folder, rootfs: makeRootfs(folder), state };
}

function runContainer(
  t: ExecutionContext,
  { folder, rootfs, state }: World,
  one: { runtime: "runc" | "crun"; id: string; cgroup: string; image: string; script: string },
): void {
  removeCgroup(t, one.cgroup);
  const annotations = { [IMAGE_ANNOTATION]: one.image };
  const bundle = writeBundle(join(folder, one.id), { rootfs, script: one.script, cgroup: one.cgroup, annotations });
  const [command, ...args] = ociCommand(t, one.runtime, state, ["run", "--bundle", bundle, one.id]);
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8", timeout: RUN_TIMEOUT_MS });
  t.is(status, 0, stderr);
}

async function outputsOf(sensor: Sensor, count: number): Promise<string[]> {
  let found: string[] = [];
  await waitFor(
    async () => {
      found = (await sensor.detections()).map(({ detection }) => detection?.output ?? "");
      return found.length >= count;
    },
    { what: `${count} detections`, timeoutMs: TIMEOUT_MS, explain: () => found.join("\n") },
  );
  return found;
}

const hex = () => randomBytes(32).toString("hex");

test(`runc's and crun's containers have id and image, wherever their cgroups are${suffix}`, async (t) => {
  t.timeout(3 * TIMEOUT_MS);
  const world = await setUp(t);
  const [inPod, ofDocker] = [hex(), hex()];
  const containers = [
    { runtime: "runc", id: inPod, cgroup: `/kubepods/burstable/pod${randomUUID()}/${inPod}`, type: "runc" },
    { runtime: "runc", id: ofDocker, cgroup: `/docker/${ofDocker}`, type: "docker" },
    { runtime: "runc", id: "nightjar-plain", cgroup: "/nightjar-plain", type: "runc" },
    { runtime: "crun", id: "nightjar-scope", cgroup: "/system.slice/crun-nightjar-scope.scope", type: "crun" },
  ] as const;
  for (const { type: _, ...one } of containers) {
    runContainer(t, world, { ...one, image: `localhost/${one.id}:1`, script: "sleep 0.05; : nightjar-mark" });
  }
  spawnSync("/bin/sh", ["-c", ": nightjar-mark on the host"]);
  const outputs = await outputsOf(world.sensor, containers.length + 1);
  const all = outputs.join("\n");
  for (const { id, type } of containers) {
    const expected = `/ ${id} / localhost/${id}:1 / ${type} / `;
    t.true(
      outputs.some((one) => one.includes(expected)),
      `${expected}\n${all}`,
    );
  }
  t.true(
    outputs.some((one) => one.includes("on the host / <NA> / <NA> / host /")),
    all,
  );
});

const RUNS = 100;
const RUNS_KNOWN_MIN = 99;

test(`of ${RUNS} containers of 50 ms, ${RUNS_KNOWN_MIN} are told with id and image${suffix}`, async (t) => {
  t.timeout(5 * TIMEOUT_MS);
  const world = await setUp(t);
  const ids = Array.from({ length: RUNS }, hex);
  for (const id of ids) {
    const script = "sleep 0.05; : nightjar-mark";
    runContainer(t, world, {
      runtime: "runc",
      id,
      cgroup: `/docker/${id}`,
      image: `localhost/${id.slice(0, 8)}:1`,
      script,
    });
  }
  const outputs = await outputsOf(world.sensor, RUNS);
  const known = ids.filter((id) => outputs.some((one) => one.includes(`/ ${id} / localhost/${id.slice(0, 8)}:1 /`)));
  t.log(`${known.length} of ${RUNS} are told with id and image`);
  t.true(known.length >= RUNS_KNOWN_MIN, outputs.filter((one) => !one.includes(":1 /")).join("\n"));
});
