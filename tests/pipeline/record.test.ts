// What ran live is recorded and played again, here and as if on another host: the same detections, told the same way.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { encodeRecordingPart, readRecording } from "@nightjar/events";
import { BatchSchema, type Detection } from "@nightjar/proto";
import { startProcess, type TestProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { attacks } from "../attacks/acts.ts";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";
import { CLI, play, printedDetections } from "./play.ts";

/** Enough for the point: one that is told by a file, one by a program, one by its line of ancestors. */
const ACTS = attacks.slice(0, 3);

const reason = whyNoKernel();
const run = reason ? test.skip : test;

interface Told {
  rule: string;
  output: string;
  /** The names of the process and its ancestors, up to the test's own. */
  lineage: string[];
}

/** What a person reads of a detection. */
function told({ rule, output, processes }: Pick<Detection, "rule" | "output" | "processes">): Told {
  const own = processes.findIndex(({ pid }) => pid === process.pid);
  return { rule, output, lineage: processes.slice(0, own + 1).map(({ name }) => String(name)) };
}

async function ours(sensor: Sensor): Promise<Detection[]> {
  const found = (await sensor.detections()).flatMap(({ detection }) => detection ?? []);
  return found.filter(({ processes }) => processes.some(({ pid }) => pid === process.pid));
}

async function record(t: ExecutionContext, sensor: Sensor, ...args: string[]): Promise<TestProcess> {
  const recorder = startProcess(t, process.execPath, [CLI, "record", "--state-dir", sensor.stateDir, ...args]);
  const explain = () => recorder.stderr;
  await waitFor(() => recorder.stderr.includes("recording into"), { what: "recording has begun", explain });
  return recorder;
}

/** What is detected of ours when a recording is played. */
async function replayed(t: ExecutionContext, recording: string): Promise<Detection[]> {
  const found = printedDetections<Detection>(await play(t, recording));
  return found.filter(({ processes }) => processes.some(({ pid }) => pid === process.pid));
}

/** The same recording as another boot would have made it: nothing of it is in this host's /proc. */
async function ofAnotherBoot(file: string): Promise<Buffer> {
  const bytes = readFileSync(file);
  const chunks = (async function* () {
    yield bytes;
  })();
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of readRecording(chunks)) {
    length += encodeRecordingPart(part).length;
    const batch = fromBinary(BatchSchema, part);
    batch.bootId = new Uint8Array(16).fill(7);
    parts.push(encodeRecordingPart(toBinary(BatchSchema, batch)));
  }
  return Buffer.concat([bytes.subarray(0, bytes.length - length), ...parts]);
}

const bySerial = (left: Told, right: Told) => left.rule.localeCompare(right.rule);

run(`a recording gives the detections of the live run again${reason ? ` (${reason})` : ""}`, async (t) => {
  t.timeout(5 * 60_000);
  const sensor = await startSensor(t);
  const folder = temporaryFolder(t);
  const [file, ring] = [join(folder, "incident.njr"), join(folder, "ring")];
  const recorders = [await record(t, sensor, file, "--seconds", "600"), await record(t, sensor, ring, "--last", "10")];
  for (const act of ACTS) await act.perform(folder);
  const live = await waitFor(
    async () => {
      const found = await ours(sensor);
      return found.length >= ACTS.length ? found : undefined;
    },
    { what: "the detections are at the portal", timeoutMs: 20_000, explain: () => sensor.process.stderr.slice(-4_000) },
  );
  for (const recorder of recorders) {
    recorder.signal("SIGINT");
    t.deepEqual(await recorder.exited, { code: 0, signal: null }, recorder.stderr);
  }
  t.true(existsSync(file) && readdirSync(ring).length > 0);
  await sensor.close();

  const expected = live.map(told).sort(bySerial);
  t.deepEqual(
    expected.map(({ rule }) => rule),
    ACTS.map(({ rule }) => rule ?? "").sort(),
  );
  for (const recording of [file, ring]) {
    const again = await replayed(t, recording);
    t.deepEqual(again.map(({ id }) => id).sort(), live.map(({ id }) => id).sort());
    t.deepEqual(again.map(told).sort(bySerial), expected);
  }
  const elsewhere = join(folder, "elsewhere.njr");
  writeFileSync(elsewhere, await ofAnotherBoot(file));
  t.deepEqual((await replayed(t, elsewhere)).map(told).sort(bySerial), expected);
});
