// Says in one line of JSON what the running kernel let the probe attach; runs in the virtual machine.
import { openProbe, ProbeError } from "@nightjar/native-probe";

try {
  const probe = openProbe({ onBatch: (_bytes, _first, next) => probe.release(next) });
  console.log(JSON.stringify({ attachments: probe.attachments }));
  await probe.stop();
} catch (error) {
  if (!(error instanceof ProbeError)) throw error;
  console.log(JSON.stringify({ attachments: [], error: `${error.code}: ${error.message}`, cause: error.cause }));
}
