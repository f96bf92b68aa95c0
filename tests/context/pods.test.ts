// Whoever acts in a container of a pod is told with the pod, also while the API server is away.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  containerId,
  kubeconfigFor,
  NODE,
  podOf,
  StandInApiServer,
  temporaryFolder,
  uidOf,
  waitFor,
} from "@nightjar/test-support";
import anyTest, { type TestFn } from "ava";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";

const CGROUPS = "/sys/fs/cgroup";
const TIMEOUT_MS = 60_000;

const reason = whyNoKernel();
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const suffix = reason ? ` (${reason})` : "";

/** The deeds, each with a rule of its own: repeats of one rule would be counted in its first detection. */
const LATE = Array.from({ length: 20 }, (_, index) => `late-${index}`);
const DEEDS = ["first", "known", "early", ...LATE];

const RULE = (mark: string) => `- rule: The program marked ${mark}
  desc: It is started in a container.
  condition: evt.type = execve and proc.args = ${mark}
  output: >
    %proc.args by %container.name of %k8s.ns.name/%k8s.pod.name (%k8s.deployment.name, app %k8s.pod.label[app])
    under %nightjar.pod.service_account on %nightjar.pod.node
  priority: NOTICE
`;

/** The cgroup that the kubelet's own driver would make for a container, in whichever hierarchy there is. */
function makeCgroup(t: Parameters<typeof startSensor>[0], seed: number): string {
  const root = existsSync(join(CGROUPS, "cgroup.controllers")) ? CGROUPS : join(CGROUPS, "cpu");
  const path = join(root, "kubepods", "besteffort", `pod${uidOf(seed)}`, containerId(seed));
  mkdirSync(path, { recursive: true });
  t.teardown(() => {
    for (let folder = path; folder !== root; folder = dirname(folder)) {
      try {
        rmdirSync(folder);
      } catch {
        // Another container's is in it.
        return;
      }
    }
  });
  return path;
}

function act(cgroup: string, mark: string): void {
  execFileSync("sh", ["-c", 'echo $$ > "$1/cgroup.procs" && exec /bin/echo "$2"', "sh", cgroup, mark]);
}

/** What the detection of this mark says. */
function outputOf(sensor: Sensor, mark: string): Promise<string> {
  return waitFor(
    async () => {
      const outputs = (await sensor.detections()).map(({ detection }) => detection?.output ?? "");
      return outputs.find((output) => output.startsWith(mark));
    },
    { what: `${mark} is detected`, timeoutMs: TIMEOUT_MS, explain: () => sensor.process.stderr.slice(-4_000) },
  );
}

async function metadataOf(sensor: Sensor) {
  return (await sensor.statuses()).find(({ stage }) => stage === "metadata");
}

test(`a detection says which pod it was, whatever becomes of the API server${suffix}`, async (t) => {
  t.timeout(5 * TIMEOUT_MS);
  const folder = temporaryFolder(t);
  const mark = `nightjar-${process.pid}`;
  const server = new StandInApiServer();
  server.put(podOf(1));
  await server.start();
  t.teardown(() => server.stop());
  writeFileSync(join(folder, "rules.yaml"), DEEDS.map((deed) => RULE(`${mark}-${deed}`)).join(""));
  writeFileSync(join(folder, "kubeconfig"), kubeconfigFor(server));
  const sensor = await startSensor(t, {
    args: ["--rules", join(folder, "rules.yaml")],
    env: {
      NIGHTJAR_METADATA_RUNTIMES: "false",
      NIGHTJAR_METADATA_KUBERNETES_CONFIG_FILE: join(folder, "kubeconfig"),
      NIGHTJAR_METADATA_KUBERNETES_NODE: NODE,
      NIGHTJAR_METADATA_KUBERNETES_FIRST_LIST_DELAY_S: "0",
    },
  });
  const issues = async () => (await metadataOf(sensor))?.healthIssues.map(({ code }) => code) ?? [];
  await waitFor(() => server.watchers === 1, { what: "the pods are watched", timeoutMs: TIMEOUT_MS });
  const known = makeCgroup(t, 1);
  act(known, `${mark}-first`);
  const pod = "by web of store/shop-7d4b9c6f5d-00001 (shop, app shop) under shop on node-7";
  t.is((await outputOf(sensor, `${mark}-first`)).trim(), `${mark}-first ${pod}`);

  await server.stop();
  await waitFor(async () => (await issues()).includes("KUBERNETES_UNREACHABLE"), { what: "the health issue is there" });
  const unknown = makeCgroup(t, 2);
  act(known, `${mark}-known`);
  act(unknown, `${mark}-early`);
  t.is((await outputOf(sensor, `${mark}-known`)).trim(), `${mark}-known ${pod}`);
  t.regex(await outputOf(sensor, `${mark}-early`), /<NA>\/<NA>/);

  server.put(podOf(2));
  await server.start();
  await waitFor(async () => (await issues()).length === 0, {
    what: "the health issue is resolved",
    timeoutMs: TIMEOUT_MS,
  });
  await waitFor(async () => (await metadataOf(sensor))?.counters.pods === 2n, { what: "the new pod is known" });
  // Which of them is the first that comes after the enricher was told is a matter of milliseconds.
  let late = "";
  for (const deed of LATE) {
    if (late.includes("shop-7d4b9c6f5d-00002")) break;
    act(unknown, `${mark}-${deed}`);
    late = await outputOf(sensor, `${mark}-${deed}`);
  }
  t.regex(late, /by web of store\/shop-7d4b9c6f5d-00002 \(shop, app shop\)/);
});
