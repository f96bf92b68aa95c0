// Who runs in a container's cgroup is detected with its id; what is only called like an id is the host.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { startSensor, whyNoKernel } from "../harness/sensor.ts";

const reason = whyNoKernel() ?? whyNoCgroups();
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const suffix = reason ? ` (${reason})` : "";
const TIMEOUT_MS = 60_000;

/** The first hierarchy in which an exec looks for its path: v2, or cpu's. */
function hierarchy(): string {
  const v1 = "/sys/fs/cgroup/cpu";
  return existsSync(join(v1, "cgroup.procs")) ? v1 : "/sys/fs/cgroup";
}

function whyNoCgroups(): string | undefined {
  return existsSync(join(hierarchy(), "cgroup.procs")) ? undefined : "cgroups are not mounted";
}

const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));

const [DOCKER, PODMAN, NONE] = ["d", "b", "e"].map((digit) => digit.repeat(64)) as [string, string, string];
const CGROUPS = [`docker/${DOCKER}`, `libpod_parent/libpod-${PODMAN}`, `jobs-of-a-test/${NONE}`];

const RULE = (mark: string) => `- rule: A marked program
  desc: It is started, wherever.
  condition: evt.type = execve and proc.name = echo and proc.args contains ${mark}
  output: "%proc.args in %container.id of %container.type"
  priority: NOTICE
- rule: A marked program in a container
  desc: It is started in one.
  condition: evt.type = execve and proc.name = echo and proc.args contains ${mark} and container.id != host
  output: "%proc.args"
  priority: NOTICE
`;

/** Runs the program in a cgroup of this path, which is made and removed. */
function runIn(t: ExecutionContext, path: string, ...command: [string, ...string[]]): void {
  const [above, folder] = [join(hierarchy(), path, ".."), join(hierarchy(), path)];
  const isNew = !existsSync(above);
  mkdirSync(folder, { recursive: true });
  t.teardown(() => {
    rmdirSync(folder);
    if (isNew) rmdirSync(above);
  });
  execFileSync("sh", ["-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', folder, ...command], { stdio: "ignore" });
}

test(`a container is told by the cgroup of its processes, at its first event${suffix}`, async (t) => {
  t.timeout(3 * TIMEOUT_MS);
  const mark = `nightjar-${process.pid}`;
  const rules = join(temporaryFolder(t), "rules.yaml");
  writeFileSync(rules, RULE(mark));
  const sensor = await startSensor(t, { args: ["--rules", rules] });
  for (const [at, path] of CGROUPS.entries()) runIn(t, path, "/bin/echo", `${mark}-${at}`);
  const found = await waitFor(
    async () => {
      const detections = (await sensor.detections()).map(({ detection }) => detection);
      return detections.filter((one) => one?.rule === "A marked program").length === CGROUPS.length
        ? detections
        : undefined;
    },
    { what: "all are detected", timeoutMs: TIMEOUT_MS, explain: () => sensor.process.stderr.slice(-4_000) },
  );
  const outputs = (rule: string) =>
    found
      .filter((one) => one?.rule === rule)
      .map((one) => one?.output)
      .sort();
  t.deepEqual(outputs("A marked program"), [
    `${mark}-0 in ${DOCKER.slice(0, 12)} of docker`,
    `${mark}-1 in ${PODMAN.slice(0, 12)} of podman`,
    `${mark}-2 in host of host`,
  ]);
  t.deepEqual(outputs("A marked program in a container"), [`${mark}-0`, `${mark}-1`]);
  const docker = found.find((one) => one?.output.startsWith(`${mark}-0 in`));
  t.like(docker?.containers[0], { fullId: DOCKER, runtime: "docker" });
  t.not(docker?.containers[0]?.missing, "", "no runtime knows it, which is said");
  const asked = [CLI, "containers", "--json", "--state-dir", sensor.stateDir];
  const listed = JSON.parse(execFileSync(process.execPath, asked, { encoding: "utf8" }));
  t.like(
    listed.find((one: { full_id: string }) => one.full_id === DOCKER),
    { id: DOCKER.slice(0, 12), runtime: "docker", detections: 2 },
  );
});
