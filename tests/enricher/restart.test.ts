// The process tree after the enricher was away: whole, with those who began meanwhile; and who is at a terminal.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { run } from "../events/support/deed.ts";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";
import { actors, EnrichedEvents, textOf } from "./enriched.ts";

const EVENTS_TIMEOUT_MS = 60_000;
/** The kernel's (uid_t)-1. */
const NO_LOGIN = 0xffff_ffff;

const reason = whyNoKernel();
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const why = reason ? ` (${reason})` : "";

async function setUp(t: ExecutionContext, output = "o"): Promise<{ sensor: Sensor; marker: string }> {
  t.timeout(300_000);
  const folder = temporaryFolder(t);
  const marker = join(folder, "marker");
  const rules = join(folder, "rules.yaml");
  writeFileSync(marker, "");
  const condition = `evt.type = openat and fd.name = ${marker}`;
  writeFileSync(
    rules,
    `- {rule: Marker opened, desc: d, condition: '${condition}', output: "${output}", priority: NOTICE}\n`,
  );
  return { sensor: await startSensor(t, { args: ["--rules", rules] }), marker };
}

test(`after a restart the tree has all who run, those that began while it was away too${why}`, async (t) => {
  const { sensor, marker } = await setUp(t);
  const events = await EnrichedEvents.of(t, sensor, ({ event: { data } }) => {
    return data.case === "open" && textOf(data.value.path) === marker;
  });
  // A shell that opens the file when it is told to, by way of a child of its own that it starts before.
  const script = `read line; cat < ${marker}; read line`;
  const open = () => spawn("/bin/sh", ["-c", `/bin/sh -c '${script}'; :`], { stdio: ["pipe", "ignore", "inherit"] });
  const before = open();
  const enricher = sensor.pid("enricher") as number;
  process.kill(enricher, "SIGKILL");
  const meanwhile = open();
  t.teardown(() => void [before, meanwhile].map((shell) => shell.kill("SIGKILL")));
  await waitFor(async () => (await sensor.statuses()).some(({ stage, ready }) => stage === "enricher" && ready), {
    what: "the enricher is back",
    timeoutMs: EVENTS_TIMEOUT_MS,
  });
  t.not(sensor.pid("enricher"), enricher);
  for (const shell of [before, meanwhile]) {
    const [own, ...rest] = (await actors(t, sensor, ["--pid", String(shell.pid)])).filter(({ fits }) => fits);
    t.like(own, { pid: shell.pid, parent: process.pid, why: "running", name: "sh" });
    t.is(rest.length, 0);
  }
  for (const [index, shell] of [before, meanwhile].entries()) {
    shell.stdin?.write("go\n");
    const { ancestors, actor } = (await events.reach(index + 1, EVENTS_TIMEOUT_MS))[index] ?? {};
    const line = [actor, ...(ancestors ?? [])];
    const at = line.findIndex((one) => one?.pid === shell.pid);
    t.true(at > 0, "the shell is among the ancestors");
    t.is(line[at + 1]?.pid, process.pid);
    t.is(line.at(-1)?.pid, 1, "up to the root");
    t.deepEqual(line[at]?.image?.args.map(textOf), ["/bin/sh", "-c", `/bin/sh -c '${script}'; :`]);
    shell.stdin?.end("done\n");
    await once(shell, "exit");
  }
});

test(`a person at a terminal is told from a daemon${why}`, async (t) => {
  const fields = ["type", "terminal", "user"].map((name) => `%nightjar.session.${name}`).join("|");
  const { sensor, marker } = await setUp(t, `${fields}|%proc.tty|%proc.sname`);
  // `script` makes a terminal and a session with it; what leaves that session has no terminal any more. With `exec`
  // the lineages differ whichever shell there is ($SHELL; dash forks where bash does not), so that neither is folded.
  const deeds = [`exec cat ${marker}`, `exec setsid -w cat ${marker}`];
  const stdio: ("ignore" | "pipe")[] = ["ignore", "ignore", "pipe"];
  for (const deed of deeds) t.is(run("/usr/bin/script", ["-qec", deed, "/dev/null"], { stdio }).status, 0, deed);
  const outputs = await waitFor(
    async () => {
      const found = (await sensor.detections()).map(({ detection }) => detection?.output ?? "");
      return found.length >= deeds.length && found;
    },
    { what: "detections of both", timeoutMs: EVENTS_TIMEOUT_MS },
  );
  // Whoever runs the tests may have logged in.
  const isLogin = Number(readFileSync("/proc/self/loginuid", "utf8")) !== NO_LOGIN;
  const [daemon, terminal] = outputs.toSorted();
  t.regex(terminal ?? "", /^terminal\|pts\d+\|\w+\|[1-9]\d*\|/);
  t.regex(daemon ?? "", isLogin ? /^login\|<NA>\|\w+\|0\|cat$/ : /^service\|<NA>\|<NA>\|0\|cat$/);
});
