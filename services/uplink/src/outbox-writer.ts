// For the outbox's crash test: adds detections until it is killed, and says on standard output which are safe.
// node outbox-writer.ts FOLDER
import { encodedDetection } from "./encoded.ts";
import { Outbox } from "./outbox.ts";
import { detection } from "./testing.ts";

const BYTES_MAX = 1024 * 1024 * 1024;
const AT_ONCE = 3;

const [folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: outbox-writer.ts FOLDER");
const outbox = await Outbox.open(folder, { bytesMax: BYTES_MAX, clock: Date.now, evicted: () => {}, broken: () => {} });
for (;;) {
  const batch = Array.from({ length: AT_ONCE }, () => detection({ output: "x".repeat(2_000) }));
  await outbox.add(batch.map(encodedDetection));
  process.stdout.write(batch.map((one) => `${one.id}\n`).join(""));
}
