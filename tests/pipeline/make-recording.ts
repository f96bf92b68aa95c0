// Makes attacks.njr anew: does the attacks under a running sensor and keeps what the kernel showed of them, scrubbed.
//
//   sudo ./nightjar run --state-dir /tmp/recorded      (in another terminal)
//   sudo node tests/pipeline/make-recording.ts /tmp/recorded
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { encodeRecordingHeader, encodeRecordingPart } from "@nightjar/events";
import { type Batch, BatchSchema } from "@nightjar/proto";
import { busCredentials, connectOnce, SENSOR_VERSION } from "@nightjar/stage";
import { waitFor } from "@nightjar/test-support";
import { attacks, lookAlikes } from "../attacks/acts.ts";

/** Where the machine that recorded kept this process is nobody's business. */
const CGROUP = Buffer.from("/system.slice/recorded.service");
const QUIET_MS = 1_500;

const [, , stateDir] = process.argv;
const credentials = stateDir ? busCredentials(stateDir, "listener") : undefined;
if (!credentials) throw new Error(`no sensor runs in ${stateDir ?? "(name its state folder)"}`);

const connection = await connectOnce(credentials.address, credentials.seed, "listener");
const batches: Batch[] = [];
let lastMs = 0;
connection.subscribe("nightjar.raw", {
  callback: (_, message) => {
    batches.push(fromBinary(BatchSchema, message.data));
    lastMs = performance.now();
  },
});
await connection.flush();

// The acts' processes inherit the working directory, and it is in the records.
process.chdir("/");
const folder = mkdtempSync(join(tmpdir(), "recorded-"));
for (const act of [...lookAlikes, ...attacks]) await act.perform(folder);
rmSync(folder, { recursive: true });
const doneMs = performance.now();
await waitFor(() => lastMs > doneMs && performance.now() - doneMs > QUIET_MS, { what: "the last events have come" });
await connection.close();

const family = new Set([process.pid]);
const kept = batches.map((batch) => scrub(batch)).filter((batch) => batch.events.length > 0);
const header = encodeRecordingHeader({ sensorVersion: SENSOR_VERSION, kernelRelease: "", machine: process.arch });
const parts = kept.map((batch) => encodeRecordingPart(toBinary(BatchSchema, batch)));
writeFileSync(new URL("attacks.njr", import.meta.url), Buffer.concat([header, ...parts]));
process.stdout.write(`${kept.length} batches, ${kept.reduce((sum, { events }) => sum + events.length, 0)} events\n`);

/** Leaves only what the acts' own processes did; the ranges stay whole, so that they still touch. */
function scrub(batch: Batch): Batch {
  const events = batch.events.filter(({ pid, data }) => {
    if (data.case === "fork" && family.has(pid)) family.add(data.value.childPid);
    return family.has(pid) && pid !== process.pid;
  });
  for (const { data } of events) if (data.case === "exec") data.value.cgroup = CGROUP;
  return { ...batch, events, ledger: [] };
}
