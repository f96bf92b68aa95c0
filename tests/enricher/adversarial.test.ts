// What processes may do to confuse a process tree, done for real: each with what is to come of it exactly.
import { existsSync, mkdirSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { compileDeed, type Deed, run } from "../events/support/deed.ts";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";
import { actors, counterOf, EnrichedEvents, textOf } from "./enriched.ts";

const RENAMES = 1_000;
const LIVES = 200;
/** The least that a pid namespace allows is 301, of which those below 300 are used in the first round alone. */
const PID_MAX = 400;
const LEAVES = 400;
const FORKS = 50_000;
const FORKS_AT_ONCE = 500;
const PATH_BYTES = 4_096;
/** A path is walked from its end until it is longer than this: native-probe/bpf/path.h. */
const PATH_BYTES_KEPT = 3_840;
const UNIFIED = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
const EVENTS_TIMEOUT_MS = 60_000;
/** Ended processes are kept for 30 s. */
const FORGOTTEN_TIMEOUT_MS = 90_000;
const NO_SUCH_LIMIT = 77;

const reason = whyNoKernel();
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const why = reason ? ` (${reason})` : "";

interface Scene {
  sensor: Sensor;
  deed: Deed;
  /** A file whose opens are told. */
  marker: string;
}

/** A sensor that is told of opens of a file, and of programs that are called as the tests call them. */
async function setUp(t: ExecutionContext): Promise<Scene> {
  t.timeout(300_000);
  const folder = temporaryFolder(t);
  const marker = join(folder, "marker");
  writeFileSync(marker, "");
  const rules = join(folder, "rules.yaml");
  const output = '"%proc.name|%proc.cmdline|%proc.env"';
  const rule = (name: string, condition: string) =>
    `- {rule: ${name}, desc: d, condition: '${condition}', output: ${output}, priority: NOTICE}\n`;
  const called = "proc.exe in (reused, deep) or proc.exe startswith zero-";
  const items = [
    rule("Marker opened", `evt.type = openat and fd.name = ${marker}`),
    rule("Called", `evt.type = execve and (${called})`),
  ];
  writeFileSync(rules, items.join(""));
  const deed = compileDeed(t, import.meta.dirname);
  return { sensor: await startSensor(t, { args: ["--rules", rules] }), deed, marker };
}

const opensOf =
  (marker: string) =>
  ({ event: { data } }: EnrichedEvents["all"][number]): boolean =>
    data.case === "open" && textOf(data.value.path) === marker;

const calledAs =
  (name: string) =>
  ({ event: { data } }: EnrichedEvents["all"][number]): boolean =>
    data.case === "exec" && textOf(data.value.args[0]) === name;

test(`a process that renames itself 1,000 times has each of its names when it bears it${why}`, async (t) => {
  const { sensor, deed, marker } = await setUp(t);
  const events = await EnrichedEvents.of(t, sensor, opensOf(marker));
  const { pid } = deed.do(["rename", String(RENAMES), marker]);
  const seen = await events.reach(RENAMES, EVENTS_TIMEOUT_MS);
  const expected = Array.from({ length: RENAMES }, (_, time) => `name-${time}`);
  t.deepEqual(
    seen.map(({ event }) => textOf(event.name)),
    expected,
  );
  t.deepEqual([...new Set(seen.map(({ actor }) => actor?.pid))], [pid]);
  t.is(new Set(seen.map(({ actor }) => actor?.startTimeNs)).size, 1);
  t.true(seen.every(({ actor }) => textOf(actor?.image?.executable) === deed.path));
  t.true(seen.every(({ ancestors }) => ancestors[0]?.pid === process.pid));
});

test(`200 processes of one pid are 200 processes${why}`, async (t) => {
  const { sensor, deed, marker } = await setUp(t);
  const events = await EnrichedEvents.of(t, sensor, opensOf(marker));
  const missedBefore = await counterOf(sensor, "enricher", "exits_missed");
  // The pid of a process that is gone, so that nobody has it.
  const free = run("/bin/true", []).pid;
  const { pid } = deed.do(["reuse", String(free), String(LIVES), marker]);
  const seen = await events.reach(LIVES, EVENTS_TIMEOUT_MS);
  t.deepEqual(
    seen.map(({ actor, event }) => [actor?.pid, textOf(event.name)]),
    Array.from({ length: LIVES }, (_, life) => [free, `life-${life}`]),
  );
  const starts = seen.map(({ actor }) => actor?.startTimeNs ?? 0n);
  t.is(new Set(starts).size, LIVES);
  t.deepEqual(
    starts,
    starts.toSorted((left, right) => Number(left - right)),
  );
  t.true(seen.every(({ event, actor }) => event.startTimeNs === actor?.startTimeNs));
  t.true(seen.every(({ ancestors }) => ancestors[0]?.pid === pid && ancestors[1]?.pid === process.pid));
  t.is(await counterOf(sensor, "enricher", "exits_missed"), missedBefore);
});

test(`a pid namespace that uses its pids again and again tells its processes apart${why}`, async (t) => {
  const { sensor, deed } = await setUp(t);
  const events = await EnrichedEvents.of(t, sensor, calledAs("reused"));
  const { status } = deed.do(["namespace", String(LEAVES), String(PID_MAX), deed.path]);
  if (status === NO_SUCH_LIMIT) {
    t.log("this kernel has one pid_max for all: since 6.14 a pid namespace has its own (7863dcc72d0f)");
    t.pass();
    return;
  }
  t.is(status, 0);
  const seen = await events.reach(LEAVES, EVENTS_TIMEOUT_MS);
  const execs = seen.map(({ event: { data } }) => (data.case === "exec" ? data.value : undefined));
  t.deepEqual(
    execs.map((exec) => textOf(exec?.args[2])),
    Array.from({ length: LEAVES }, (_, leaf) => String(leaf)),
  );
  const namespaced = execs.map((exec) => exec?.namespacedPid ?? 0);
  t.true(namespaced.every((pid) => pid > 1 && pid < PID_MAX));
  t.true(new Set(namespaced).size < LEAVES, "pids were used again");
  t.is(new Set(seen.map(({ actor }) => `${actor?.pid}:${actor?.startTimeNs}`)).size, LEAVES);
  t.is(new Set(seen.map(({ ancestors }) => ancestors[0]?.startTimeNs)).size, 1, "one init");
  t.true(seen.every(({ ancestors }) => ancestors[2]?.pid === process.pid));
});

test(`50,000 forks in bursts are counted, bounded and forgotten${why}`, async (t) => {
  const { sensor, deed } = await setUp(t);
  const count = (name: string) => counterOf(sensor, "enricher", name);
  const [before, eventsBefore] = [await count("processes"), await count("events_in")];
  const missedBefore = await count("exits_missed");
  // Those that ended between the look into /proc and the first event: their pids are used again now, which shows it.
  const gone = (await actors(t, sensor, [])).filter(({ why, pid }) => why === "running" && !existsSync(`/proc/${pid}`));
  const { status } = deed.do(["bomb", String(FORKS), String(FORKS_AT_ONCE)]);
  t.is(status, 0);
  await waitFor(async () => (await count("events_in")) >= eventsBefore + 2 * FORKS, {
    what: "every fork and every exit is taken in",
    timeoutMs: EVENTS_TIMEOUT_MS,
  });
  const most = await count("processes");
  t.true(most < before + 16_384 + 2 * FORKS_AT_ONCE, `${most} processes, ${before} before`);
  t.is(await count("processes_evicted"), 0);
  const missed = (await count("exits_missed")) - missedBefore;
  t.true(missed <= gone.length, `${missed} exits missed, ${gone.length} had ended before`);
  await waitFor(async () => (await count("processes")) < before + FORKS_AT_ONCE, {
    what: "the processes that ended are forgotten",
    timeoutMs: FORGOTTEN_TIMEOUT_MS,
    intervalMs: 500,
  });
});

test(`a path of 4,096 bytes is told from its end, and said to be cut${why}`, async (t) => {
  const { sensor, deed } = await setUp(t);
  const events = await EnrichedEvents.of(t, sensor, calledAs("deep"));
  const folder = join(temporaryFolder(t), "deep");
  mkdirSync(folder);
  t.is(deed.do(["deep", folder, String(PATH_BYTES), deed.path]).status, 0);
  // Node goes by whole paths, which the kernel refuses from this length on.
  run("/bin/rm", ["-rf", folder]);
  const [seen] = await events.reach(1, EVENTS_TIMEOUT_MS);
  const { data } = seen?.event ?? {};
  if (data?.case !== "exec") return t.fail("no exec");
  const kept = textOf(data.value.executable);
  t.true(data.value.executableTruncated);
  t.true(data.value.workingDirectoryTruncated);
  t.regex(kept, /^\/?(d+\/)+deed$/);
  t.true(kept.length > PATH_BYTES_KEPT && kept.length < PATH_BYTES, `${kept.length} bytes`);
  t.is(textOf(data.value.filename), "./deed");
  t.deepEqual(seen?.actor?.image, data.value, "the row has what the event has");
});

test(`bytes that are no UTF-8 stay what they are, in every text a process has${why}`, async (t) => {
  const { sensor, deed, marker } = await setUp(t);
  const root = UNIFIED.find((path) => statSync(join(path, "cgroup.procs"), { throwIfNoEntry: false })) ?? "";
  const cgroup = Buffer.concat([Buffer.from(`${root}/nightjar-test-`), Buffer.of(0xff)]);
  const folder = temporaryFolder(t);
  mkdirSync(cgroup);
  t.teardown(() => rmdirSync(cgroup));
  const events = await EnrichedEvents.of(t, sensor, opensOf(marker));
  // Arguments of Node's are text: the deed is called by a shell, which makes the bytes itself.
  const script = `exec "$0" no-text "$1" "$(printf '%s/nightjar-test-\\377' "$2")" "$0" "$3"`;
  run("/bin/sh", ["-c", script, deed.path, folder, root, marker]);
  const [seen] = await events.reach(1, EVENTS_TIMEOUT_MS);
  const image = seen?.actor?.image;
  if (!image) return t.fail("no image");
  const latin1 = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("latin1");
  const own = `${folder}/folder-\xff`;
  t.deepEqual([image.executable, image.filename, image.workingDirectory].map(latin1), [
    `${own}/\xfe-program`,
    "./\xfe-program",
    own,
  ]);
  t.deepEqual(image.args.map(latin1), ["zero-\xc3\x28", "mark", marker, "last-\xed\xa0\x80"]);
  t.deepEqual(image.environment.map(latin1), ["NAME\xff=value\xfe"]);
  t.is(latin1(image.cgroup), "/nightjar-test-\xff");
  t.deepEqual([seen?.event.name, seen?.actor?.name].map(latin1), ["\xfe-program", "\xfe-program"]);
  const found = await waitFor(
    async () => (await sensor.detections()).find(({ detection }) => detection?.rule === "Called"),
    { what: "a detection of it", timeoutMs: EVENTS_TIMEOUT_MS },
  );
  // What is no text becomes U+FFFD where text is wanted.
  const line = `\ufffd-program mark ${marker} last-\ufffd\ufffd\ufffd`;
  t.is(found.detection?.output, `\ufffd-program|${line}|NAME\ufffd=value\ufffd`);
});
