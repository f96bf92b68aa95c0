// Content from the command line to the kernel: published, in force, refused, rolled back, and there after a crash.
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HealthIssue, StageStatus } from "@nightjar/proto";
import { startProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";

const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
const TEST_MS_MAX = 240_000;
const SEEN_MS_MAX = 60_000;
const reason = whyNoKernel();
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const suffix = reason ? ` (${reason})` : "";

function ruleOf(name: string, path: string): string {
  return `- rule: ${name}
  desc: A file below ${path} is opened to be written.
  condition: evt.type in (open, openat, openat2, creat) and evt.is_open_write = true and fd.name startswith ${path}/
  output: "%fd.name"
  priority: NOTICE
`;
}

/** A sensor that looks for content each second, and the command line beside it. */
async function setUp(t: ExecutionContext) {
  const sensor = await startSensor(t, {
    args: ["--content-poll-interval-s", "1", "--rule-engine-fold-repeats", "false"],
  });
  const nightjar = async (...args: string[]) => {
    const command = startProcess(t, process.execPath, [CLI, ...args, "--state-dir", sensor.stateDir]);
    await waitFor(() => !command.running, { what: `nightjar ${args.join(" ")} ends`, timeoutMs: SEEN_MS_MAX });
    return command;
  };
  /** Publishes rules, and what else is in the folder; returns the version. */
  const publish = async (text: string, more: string[] = [], folder = temporaryFolder(t)): Promise<string> => {
    mkdirSync(join(folder, "rules"));
    writeFileSync(join(folder, "rules", "delivered.yaml"), text);
    const { stdout, stderr } = await nightjar("portal", "content", "publish", folder, "--json", ...more);
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout).version;
  };
  return { sensor, nightjar, publish };
}

async function statusOf(sensor: Sensor, name: string): Promise<StageStatus | undefined> {
  return (await sensor.statuses()).find(({ stage }) => stage === name);
}

async function refusal(sensor: Sensor, code: RegExp): Promise<HealthIssue> {
  return waitFor(
    async () => {
      const issues = (await statusOf(sensor, "uplink"))?.healthIssues ?? [];
      return issues.find((issue) => issue.code === "CONTENT_REFUSED" && code.test(issue.message));
    },
    { what: `content is refused: ${code}`, timeoutMs: SEEN_MS_MAX },
  );
}

async function inForce(sensor: Sensor, version: string): Promise<void> {
  await waitFor(
    async () => {
      const statuses = await Promise.all(["uplink", "rule-engine"].map((name) => statusOf(sensor, name)));
      return statuses.every((status) => status?.facts.content_bundle === version);
    },
    { what: `content ${version} is in force`, timeoutMs: SEEN_MS_MAX },
  );
}

/** Does the deed until a detection of the rule tells of it. */
async function detected(sensor: Sensor, rule: string, folder: string, tag: string): Promise<void> {
  let deed = 0;
  await waitFor(
    async () => {
      closeSync(openSync(join(folder, `${tag}-${deed++}`), "w"));
      const detections = await sensor.detections();
      return detections.some(({ detection }) => detection?.rule === rule && detection.output.includes(tag));
    },
    { what: `"${rule}" is detected`, timeoutMs: SEEN_MS_MAX, intervalMs: 200 },
  );
}

test(`content comes into force, is refused, and is rolled back where it does not load${suffix}`, async (t) => {
  t.timeout(TEST_MS_MAX);
  const { sensor, nightjar, publish } = await setUp(t);
  const deeds = temporaryFolder(t);
  await waitFor(
    () =>
      sensor.log("uplink").some(({ fields }) => fields.message === "ending content update - no new content available"),
    { what: "the log says that nothing is new", timeoutMs: SEEN_MS_MAX },
  );

  const strange = join(temporaryFolder(t), "stranger.pem");
  await nightjar("portal", "content", "keygen", "--out", strange);
  await publish(ruleOf("Strange", deeds), ["--key", strange]);
  await refusal(sensor, /CONTENT_NO_KEY/);
  await nightjar("portal", "content", "keygen");
  await refusal(sensor, /CONTENT_UNSIGNED/);

  const first = await publish(ruleOf("Delivered", deeds));
  await inForce(sensor, first);
  t.false((await statusOf(sensor, "uplink"))?.healthIssues.some(({ code }) => code === "CONTENT_REFUSED"));
  await detected(sensor, "Delivered", deeds, "first");

  const wrong = "- rule: Wrong\n  condition: fd.nmae = x\n";
  await t.throwsAsync(publish(wrong), undefined, "the command line sees the mistake");
  await publish(wrong, ["--force"]);
  await refusal(sensor, /CONTENT_NOT_LOADED: .*delivered\.yaml:/);
  await inForce(sensor, first);

  for (const victim of ["rule-engine", "uplink"] as const) {
    const before = sensor.pid(victim)!;
    process.kill(before, "SIGKILL");
    await waitFor(async () => (await statusOf(sensor, victim))?.ready && sensor.pid(victim) !== before, {
      what: `${victim} is back`,
      timeoutMs: SEEN_MS_MAX,
    });
  }
  await inForce(sensor, first);
  await detected(sensor, "Delivered", deeds, "again");

  const folder = temporaryFolder(t);
  const list = join(folder, "list.txt");
  writeFileSync(list, "192.0.2.7\n192.0.2.8\n");
  await nightjar("portal", "indicators", "import", list, "--source", "list");
  rmSync(list);
  await nightjar("portal", "indicators", "filter", join(folder, "indicators.filter"));
  const second = await publish(ruleOf("Delivered anew", deeds), [], folder);
  await inForce(sensor, second);
  await waitFor(async () => (await statusOf(sensor, "uplink"))?.facts.indicator_filter?.startsWith("2 indicators"), {
    what: "the filter of the bundle is in use",
    timeoutMs: SEEN_MS_MAX,
  });
  await detected(sensor, "Delivered anew", deeds, "second");
  const { stdout } = await nightjar("portal", "content", "channels");
  t.regex(stdout, new RegExp(`stable +${second} +100 %`));
});
