// The probe loads where nobody has mounted bpffs and tracefs; the first the collector mounts by itself.
import { fileURLToPath } from "node:url";
import { startProcess, waitFor } from "@nightjar/test-support";
import test from "ava";
import { startBus } from "../harness/bus.ts";
import { whyNoKernel } from "../harness/sensor.ts";

const COLLECTOR = fileURLToPath(new URL("../../services/collector/src/main.ts", import.meta.url));
/** In a mount namespace of its own; what is not mounted cannot be unmounted, and that is as well. */
const WITHOUT = 'umount -a -t bpf,tracefs,debugfs; if grep -E " (bpf|tracefs|debugfs) " /proc/mounts; then exit 99; fi';

const reason = whyNoKernel();
const run = reason ? test.skip : test;

run(`the collector watches the kernel without bpffs and tracefs${reason ? ` (${reason})` : ""}`, async (t) => {
  const bus = await startBus(t);
  const script = `${WITHOUT}; exec "$@"`;
  const args = ["--mount", "sh", "-c", script, "sh", process.execPath, COLLECTOR];
  const env = { NIGHTJAR_STATE_DIR: bus.stateDir };
  const collector = startProcess(t, "unshare", args, { env, group: true });
  await collector.line(/"message":"collector is ready"/, { timeoutMs: 20_000 });
  const published = async () => Number((await bus.status("collector"))?.counters.events_published) > 0;
  await waitFor(published, { what: "events are published", explain: () => collector.stderr });
  t.true(collector.running);
});
