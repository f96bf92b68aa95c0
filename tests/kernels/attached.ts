// Says in a line of JSON what the running kernel offers and let the probe attach; runs in the virtual machine.
import { askKernel, openProbe, ProbeError } from "@nightjar/native-probe";

const callsSeenAt = process.env.NIGHTJAR_COLLECTOR_CALLS_SEEN_AT === "functions" ? "functions" : "tracepoint";

const offers = askKernel();
try {
  const probe = openProbe({ callsSeenAt, onBatch: (_bytes, _first, next) => probe.release(next) });
  console.log(JSON.stringify({ offers, attachments: probe.attachments }));
  await probe.stop();
} catch (error) {
  if (!(error instanceof ProbeError)) throw error;
  console.log(
    JSON.stringify({ offers, attachments: [], error: `${error.code}: ${error.message}`, cause: error.cause }),
  );
}
